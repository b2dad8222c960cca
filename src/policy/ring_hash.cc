#include "hangu/policy/ring_hash.h"

#include <string_view>
#include <utility>

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace hangu::policy {

RingHash::RingHash(std::span<const HashedEndpoint> endpoints, size_t size) {
  uint64_t weights = 0;
  for (const HashedEndpoint& endpoint : endpoints) {
    weights += endpoint.weight;
  }
  std::vector<std::pair<uint64_t, size_t>> points;
  for (size_t i = 0; i < endpoints.size(); ++i) {
    const size_t own = std::max<size_t>((size * endpoints[i].weight + weights / 2) / weights, 1);
    const uint64_t name = XXH3_64bits(endpoints[i].name.data(), endpoints[i].name.size());
    for (uint64_t number = 0; number < own; ++number) {
      points.emplace_back(XXH3_64bits_withSeed(&number, sizeof number, name), i);
    }
  }
  // Equal points are for the endpoint whose name comes first: the order given does not matter.
  std::sort(points.begin(), points.end(), [&](const auto& a, const auto& b) {
    return a.first != b.first ? a.first < b.first
                              : endpoints[a.second].name < endpoints[b.second].name;
  });
  for (const auto& [point, owner] : points) {
    points_.push_back(point);
    owners_.push_back(static_cast<uint16_t>(owner));
  }
}

}  // namespace hangu::policy
