#include "hangu/policy/subset.h"

#include <algorithm>
#include <numeric>

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace hangu::policy {

std::vector<size_t> subset(std::span<const std::string_view> names, size_t size, uint64_t node_seed,
                           uint32_t worker) {
  std::vector<size_t> order(names.size());
  std::iota(order.begin(), order.end(), 0);
  if (size == 0 || names.size() <= size) {
    return order;
  }
  const size_t parts = (names.size() + size / 2) / size;  // that a shuffle gives
  const uint64_t seed = node_seed + worker / parts;
  std::vector<uint64_t> ranks;
  for (const std::string_view name : names) {
    ranks.push_back(XXH3_64bits_withSeed(name.data(), name.size(), seed));
  }
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return ranks[a] != ranks[b] ? ranks[a] < ranks[b] : names[a] < names[b];
  });
  // Parts differ by one at most: what does not divide evenly is used too.
  const size_t part = worker % parts;
  const size_t begin = part * names.size() / parts;
  const size_t end = (part + 1) * names.size() / parts;
  std::vector<size_t> chosen(order.begin() + static_cast<std::ptrdiff_t>(begin),
                             order.begin() + static_cast<std::ptrdiff_t>(end));
  std::sort(chosen.begin(), chosen.end());
  return chosen;
}

}  // namespace hangu::policy
