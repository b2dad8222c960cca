// RingHash: consistent hashing by points on a ring (ketama's idea, with XXH3). Each endpoint has
// points by its weight; a key belongs to the first point after it. When an endpoint goes exactly
// its keys move. Shards and nodes with the same endpoints agree, whatever their order. Ten bytes a
// point.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "hangu/policy/hashed_endpoint.h"

namespace hangu::policy {

class RingHash {
 public:
  RingHash() = default;
  /// About `size` points, at least one for each endpoint.
  RingHash(std::span<const HashedEndpoint> endpoints, size_t size);

  bool empty() const { return points_.empty(); }

  size_t size() const { return points_.size(); }

  /// Index of the endpoint for a hash of the key; the next one around that is usable. Not when
  /// empty; when nobody is usable, the key's own.
  template <class Usable>
  size_t at(uint64_t hash, Usable usable) const noexcept {
    const auto found = std::lower_bound(points_.begin(), points_.end(), hash);
    const size_t first = found == points_.end() ? 0 : static_cast<size_t>(found - points_.begin());
    size_t point = first;
    for (size_t tries = 0; tries < points_.size(); ++tries) {
      if (usable(owners_[point])) {
        return owners_[point];
      }
      point = point + 1 < points_.size() ? point + 1 : 0;
    }
    return owners_[first];
  }

 private:
  std::vector<uint64_t> points_;  // in order
  std::vector<uint16_t> owners_;  // of each
};

}  // namespace hangu::policy
