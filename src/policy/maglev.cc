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
};

Preference preference_of(std::string_view name, size_t index) {
  const XXH128_hash_t hash = XXH3_128bits(name.data(), name.size());
  return {.next = static_cast<size_t>(hash.low64 % Maglev::kEntries),
          .skip = static_cast<size_t>(hash.high64 % (Maglev::kEntries - 1)) + 1,
          .index = static_cast<uint16_t>(index)};
}

}  // namespace

Maglev::Maglev(const std::vector<std::string_view>& names) {
  if (names.empty()) {
    return;
  }
  // In turns, by name: the table does not depend on the order given.
  std::vector<size_t> order(names.size());
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return names[a] < names[b]; });
  std::vector<Preference> turns;
  for (const size_t index : order) {
    turns.push_back(preference_of(names[index], index));
  }
  table_.assign(kEntries, kNobody);
  for (size_t filled = 0; filled < kEntries;) {
    for (Preference& turn : turns) {
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
