#include "hangu/policy/maglev.h"

#include <algorithm>
#include <numeric>

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace hangu::policy {
namespace {

constexpr uint16_t kNobody = 0xffff;

/// An endpoint's order of preference over the entries: offset, offset + skip, and so on.
struct Preference {
  size_t next;
  size_t skip;
  uint16_t index;
  uint32_t weight;
  uint64_t credit;  // turns of weight that it may still take
};

Preference preference_of(const HashedEndpoint& endpoint, size_t index) {
  const XXH128_hash_t hash = XXH3_128bits(endpoint.name.data(), endpoint.name.size());
  return {.next = static_cast<size_t>(hash.low64 % Maglev::kEntries),
          .skip = static_cast<size_t>(hash.high64 % (Maglev::kEntries - 1)) + 1,
          .index = static_cast<uint16_t>(index),
          .weight = endpoint.weight,
          .credit = 0};
}

}  // namespace

Maglev::Maglev(std::span<const HashedEndpoint> endpoints) {
  if (endpoints.empty()) {
    return;
  }
  // In turns, by name: the table does not depend on the order given.
  std::vector<size_t> order(endpoints.size());
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(),
            [&](size_t a, size_t b) { return endpoints[a].name < endpoints[b].name; });
  std::vector<Preference> turns;
  uint32_t heaviest = 1;
  for (const size_t index : order) {
    turns.push_back(preference_of(endpoints[index], index));
    heaviest = std::max(heaviest, endpoints[index].weight);
  }
  table_.assign(kEntries, kNobody);
  for (size_t filled = 0; filled < kEntries;) {
    for (Preference& turn : turns) {
      turn.credit += turn.weight;
      if (turn.credit < heaviest) {
        continue;
      }
      turn.credit -= heaviest;
      while (table_[turn.next] != kNobody) {
        turn.next = (turn.next + turn.skip) % kEntries;
      }
      table_[turn.next] = turn.index;
      if (++filled == kEntries) {
        break;
      }
    }
  }
}

}  // namespace hangu::policy
