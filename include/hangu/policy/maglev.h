// Maglev: consistent hashing by a table. Each endpoint owns a share of the keys by its weight, and
// when one comes or goes few keys of the others move. Shards and nodes with the same endpoints
// agree, whatever their order. Two bytes an entry, 128 KiB.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "hangu/policy/hashed_endpoint.h"

namespace hangu::policy {

class Maglev {
 public:
  static constexpr size_t kEntries = 65'537;  // a prime
  static constexpr size_t kEndpointsMax = 0xfffe;

  Maglev() = default;
  /// At most kEndpointsMax.
  explicit Maglev(std::span<const HashedEndpoint> endpoints);

  bool empty() const { return table_.empty(); }

  /// Index of the endpoint for a hash of the key. Not when empty.
  size_t at(uint64_t hash) const noexcept { return table_[hash % kEntries]; }

  /// The same for whom that endpoint is not usable: tries further entries.
  template <class Usable>
  size_t at(uint64_t hash, Usable usable) const noexcept {
    size_t entry = hash % kEntries;
    for (size_t tries = 0; tries < kEntries; ++tries) {
      if (usable(table_[entry])) {
        return table_[entry];
      }
      entry = entry + 1 < kEntries ? entry + 1 : 0;
    }
    return at(hash);
  }

 private:
  std::vector<uint16_t> table_;
};

}  // namespace hangu::policy
