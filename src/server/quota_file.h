// The file that counts of quotas survive a restart in: binary, with a checksum over the whole.
// Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace hangu::server {

/// What one quota has counted in its current window.
struct SavedQuota {
  std::string name;
  std::string identity;  // by what it counts: counts of another one are of no use
  uint64_t seed = 0;     // of the hashes of keys
  uint32_t window = 0;
  std::vector<std::pair<uint64_t, uint64_t>> used;  // by key

  bool operator==(const SavedQuota&) const = default;
};

std::string encode_quotas(const std::vector<SavedQuota>& quotas);

/// nullopt: it is not such a file, or not as it was written.
std::optional<std::vector<SavedQuota>> decode_quotas(std::string_view bytes);

}  // namespace hangu::server
