#include "hangu/policy/logout_table.h"

#include <algorithm>

namespace hangu::policy {

LogoutTable::LogoutTable(size_t entries_max, int64_t start_s)
    : sets_(entries_max),
      start_s_(start_s) {}

PlaceSets::Both LogoutTable::sets_of(uint64_t key) const noexcept {
  constexpr uint64_t kMixer = 0x9e3779b97f4a7c15;
  return {sets_.set(key), sets_.set((key * kMixer) >> 32)};
}

/// Seconds from 1 on: a place that was never used holds 0.
uint64_t LogoutTable::word_of(uint64_t key, int64_t time_s) const noexcept {
  const int64_t seconds = std::clamp<int64_t>(time_s - start_s_ + 1, 1, INT64_C(0xffffffff));
  return (key & ~kTimeMask) | static_cast<uint64_t>(seconds);
}

/// The place of that key, or else a free one: never used, or older than `oldest`.
PlaceSets::Vacancy LogoutTable::place_for(uint64_t key, uint64_t oldest) const noexcept {
  const PlaceSets::Both sets = sets_of(key);
  for (PlaceSets::Place* const places : sets) {
    for (size_t i = 0; i < PlaceSets::kWays; ++i) {
      const uint64_t held = places[i].load();
      if (held != 0 && (held & ~kTimeMask) == (key & ~kTimeMask)) {
        return {.place = &places[i], .held = held};
      }
    }
  }
  return PlaceSets::vacancy(sets, [oldest](uint64_t held) { return (held & kTimeMask) < oldest; });
}

/// What is kept for a short time only makes no room by what has to last longer.
int64_t LogoutTable::kept_for(int64_t keep_s) noexcept {
  int64_t longest = keep_max_s_.load(std::memory_order_relaxed);
  while (keep_s > longest &&
         !keep_max_s_.compare_exchange_weak(longest, keep_s, std::memory_order_relaxed)) {
  }
  return std::max(keep_s, longest);
}

bool LogoutTable::end(uint64_t key, int64_t now_s, int64_t keep_s) noexcept {
  const uint64_t word = word_of(key, now_s);
  const uint64_t oldest = word_of(0, now_s - kept_for(keep_s));
  // Another thread may take the place that was found: look again then.
  while (true) {
    PlaceSets::Vacancy found = place_for(key, oldest);
    if (found.place == nullptr) {
      return false;
    }
    const bool same = found.held != 0 && (found.held & ~kTimeMask) == (key & ~kTimeMask);
    any_.store(true);
    if ((same && found.held >= word) || found.place->compare_exchange_strong(found.held, word)) {
      return true;
    }
  }
}

bool LogoutTable::ended(uint64_t key, int64_t begun_s) const noexcept {
  if (!any_.load(std::memory_order_acquire)) {
    return false;
  }
  const uint64_t least = word_of(key, begun_s);
  return PlaceSets::any(sets_of(key), [key, least](uint64_t found) {
    return found >= least && (found & ~kTimeMask) == (key & ~kTimeMask);
  });
}

}  // namespace hangu::policy
