#include "hangu/policy/lockout_table.h"

#include <algorithm>
#include <bit>

namespace hangu::policy {

LockoutTable::LockoutTable(size_t keys)
    : sets_(std::bit_ceil(std::max<size_t>(keys / kWays, 1))),
      mask_(sets_.size() - 1) {}

Duration LockoutTable::locked_for(uint64_t key, const Rules& rules, TimePoint now) const noexcept {
  for (const Place& place : sets_[key & mask_]) {
    if (place.failures != 0 && place.key == key) {
      const bool locked =
          rules.attempts != 0 && place.failures >= rules.attempts && now < place.until;
      return locked ? place.until - now : Duration::zero();
    }
  }
  return Duration::zero();
}

/// The key's own, or that of the one that matters least: free or over, then of the fewest failures,
/// then the oldest.
LockoutTable::Place& LockoutTable::place_for(uint64_t key, TimePoint now) noexcept {
  Set& set = sets_[key & mask_];
  const auto own = std::find_if(set.begin(), set.end(), [key](const Place& place) {
    return place.failures != 0 && place.key == key;
  });
  if (own != set.end()) {
    return *own;
  }
  const auto weight = [now](const Place& place) {
    return place.failures == 0 || place.until <= now ? 0 : place.failures;
  };
  Place& least = *std::min_element(set.begin(), set.end(), [&](const Place& a, const Place& b) {
    return weight(a) != weight(b) ? weight(a) < weight(b) : a.until < b.until;
  });
  least = {.key = key};
  return least;
}

void LockoutTable::fail(uint64_t key, const Rules& rules, TimePoint now) noexcept {
  if (rules.attempts == 0) {
    return;
  }
  Place& place = place_for(key, now);
  if (place.until <= now) {
    place.failures = 0;
  }
  if (place.failures == 0 || place.failures + 1 == rules.attempts) {
    place.until = now + rules.window;
  }
  place.failures = std::min(place.failures + 1, rules.attempts);
}

void LockoutTable::succeed(uint64_t key) noexcept {
  for (Place& place : sets_[key & mask_]) {
    if (place.key == key) {
      place = {};
    }
  }
}

}  // namespace hangu::policy
