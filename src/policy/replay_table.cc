#include "hangu/policy/replay_table.h"

#include <algorithm>
#include <bit>

namespace hangu::policy {

ReplayTable::ReplayTable(size_t entries_max, int64_t start_s)
    : sets_(entries_max),
      start_s_(start_s) {}

/// At least 1: a place that was never used holds 0. Rounded up: it counts too long, not too short.
uint64_t ReplayTable::tick_of(int64_t time_s) const noexcept {
  constexpr int64_t kTicksMax = (int64_t{1} << kTickBits) - 1;
  const int64_t ticks = (time_s - start_s_) / kTickSeconds + 1;
  return static_cast<uint64_t>(std::clamp<int64_t>(ticks, 1, kTicksMax));
}

PlaceSets::Both ReplayTable::sets_of(uint64_t key, uint64_t second_key) const noexcept {
  return {sets_.set(second_key), sets_.set(std::rotl(second_key, 32) ^ key)};
}

ReplayTable::Outcome ReplayTable::use(uint64_t key, uint64_t second_key, int64_t until_s,
                                      int64_t now_s) noexcept {
  const uint64_t tag = key & ~kTickMask;
  const uint64_t end = tick_of(until_s);
  const uint64_t now = std::max<uint64_t>(tick_of(now_s), 1) - 1;
  const PlaceSets::Both sets = sets_of(key, second_key);
  const auto is_over = [now](uint64_t word) { return (word & kTickMask) <= now; };
  const auto known = [&](const PlaceSets::Place* but) {
    return PlaceSets::any(
        sets, [&](uint64_t word) { return !is_over(word) && (word & ~kTickMask) == tag; }, but);
  };

  // Another thread may take the place that was found: look again then.
  while (!known(nullptr)) {
    PlaceSets::Vacancy found = PlaceSets::vacancy(sets, is_over);
    if (found.place == nullptr) {
      return Outcome::kFull;
    }
    if (found.place->compare_exchange_strong(found.held, tag | end)) {
      return known(found.place) ? Outcome::kReplay : Outcome::kFirst;
    }
  }
  return Outcome::kReplay;
}

void ReplayTable::give_back(uint64_t key, uint64_t second_key) noexcept {
  const uint64_t tag = key & ~kTickMask;
  for (PlaceSets::Place* const places : sets_of(key, second_key)) {
    for (size_t i = 0; i < PlaceSets::kWays; ++i) {
      uint64_t held = places[i].load();
      if (held != 0 && (held & ~kTickMask) == tag) {
        places[i].compare_exchange_strong(held, 0);
      }
    }
  }
}

size_t ReplayTable::live(int64_t now_s) const noexcept {
  const uint64_t now = tick_of(now_s) - 1;
  size_t count = 0;
  for (size_t i = 0; i < places(); ++i) {
    const uint64_t word = sets_[i].load(std::memory_order_relaxed);
    count += (word & kTickMask) > now ? 1 : 0;
  }
  return count;
}

}  // namespace hangu::policy
