// Sealer: hides texts that clients keep for the gateway, such as sessions in cookies, and sees when
// anything of one was changed. AES-256-GCM; a key for each secret and purpose (HKDF-SHA256), so
// that what was sealed for one purpose is not good for another. The first secret seals, all of them
// open: secrets can be changed without anybody noticing. Immutable; any thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace hangu::identity {

class Sealer {
 public:
  /// What sealing adds, before it is written in base64url.
  static constexpr size_t kOverheadBytes = 1 + 12 + 16;

  Sealer(std::span<const std::string> secrets, std::string_view purpose);

  /// In base64url. Empty: no randomness, or no secret.
  std::string seal(std::string_view text) const;

  /// nullopt: not what one of these secrets has sealed for this purpose.
  std::optional<std::string> open(std::string_view sealed) const;

 private:
  using Key = std::array<uint8_t, 32>;

  std::vector<Key> keys_;
};

/// So many random bytes, in base64url. Empty: no randomness.
std::string random_text(size_t bytes);

}  // namespace hangu::identity
