#include "hangu/policy/logout_table.h"

#include <algorithm>
#include <bit>

namespace hangu::policy {

LogoutTable::LogoutTable(size_t entries_max, int64_t start_s)
    : start_s_(start_s) {
  const size_t wanted = (entries_max + entries_max / kSparePart) / kWays;
  const size_t sets = std::bit_ceil(std::max(wanted, kSetsMin));
  set_mask_ = sets - 1;
  places_ = std::make_unique<Place[]>(sets * kWays);
}

std::array<LogoutTable::Place*, 2> LogoutTable::sets_of(uint64_t key) const noexcept {
  constexpr uint64_t kMixer = 0x9e3779b97f4a7c15;
  const uint64_t other = (key * kMixer) >> 32;
  return {&places_[(key & set_mask_) * kWays], &places_[(other & set_mask_) * kWays]};
}

/// Seconds from 1 on: a place that was never used holds 0.
uint64_t LogoutTable::word_of(uint64_t key, int64_t time_s) const noexcept {
  const int64_t seconds = std::clamp<int64_t>(time_s - start_s_ + 1, 1, INT64_C(0xffffffff));
  return (key & ~kTimeMask) | static_cast<uint64_t>(seconds);
}

/// The place of that key, or else a free one of the emptier set: never used, or older than
/// `oldest`.
LogoutTable::Found LogoutTable::place_for(uint64_t key, uint64_t oldest) const noexcept {
  Found vacant;
  size_t most = 0;
  for (Place* const places : sets_of(key)) {
    Found last;
    size_t count = 0;
    for (size_t i = 0; i < kWays; ++i) {
      const uint64_t held = places[i].load();
      if (held != 0 && (held & ~kTimeMask) == (key & ~kTimeMask)) {
        return {.place = &places[i], .held = held};
      }
      if ((held & kTimeMask) < oldest) {
        last = {.place = &places[i], .held = held};
        ++count;
      }
    }
    if (count > most) {
      vacant = last;
      most = count;
    }
  }
  return vacant;
}

bool LogoutTable::end(uint64_t key, int64_t now_s, int64_t keep_s) noexcept {
  const uint64_t word = word_of(key, now_s);
  const uint64_t oldest = word_of(0, now_s - keep_s);
  // Another thread may take the place that was found: look again then.
  while (true) {
    Found found = place_for(key, oldest);
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
  for (const Place* const places : sets_of(key)) {
    for (size_t i = 0; i < kWays; ++i) {
      const uint64_t found = places[i].load(std::memory_order_acquire);
      if (found >= least && (found & ~kTimeMask) == (key & ~kTimeMask)) {
        return true;
      }
    }
  }
  return false;
}

}  // namespace hangu::policy
