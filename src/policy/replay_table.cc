#include "hangu/policy/replay_table.h"

#include <algorithm>
#include <array>
#include <bit>

#include "hangu/base/assert.h"

namespace hangu::policy {

ReplayTable::ReplayTable(size_t entries_max, int64_t start_s)
    : start_s_(start_s) {
  const size_t wanted = (entries_max + entries_max / kSparePart) / kWays;
  const size_t sets = std::bit_ceil(std::max(wanted, kSetsMin));
  set_mask_ = sets - 1;
  // Zeroed memory that is not touched before an entry needs it.
  void* const memory = std::calloc(sets * kWays, sizeof(Place));
  HANGU_ASSERT(memory != nullptr);
  places_.reset(static_cast<Place*>(memory));
}

/// At least 1: a place that was never used holds 0. Rounded up: it counts too long, not too short.
uint64_t ReplayTable::tick_of(int64_t time_s) const noexcept {
  constexpr int64_t kTicksMax = (int64_t{1} << kTickBits) - 1;
  const int64_t ticks = (time_s - start_s_) / kTickSeconds + 1;
  return static_cast<uint64_t>(std::clamp<int64_t>(ticks, 1, kTicksMax));
}

/// A place of the emptier of both sets.
ReplayTable::Vacancy ReplayTable::vacancy(const std::array<Place*, 2>& sets,
                                          uint64_t now) const noexcept {
  Vacancy best;
  size_t most = 0;
  for (Place* const places : sets) {
    Vacancy found;
    size_t count = 0;
    for (size_t i = 0; i < kWays; ++i) {
      const uint64_t word = places[i].load();
      if ((word & kTickMask) <= now) {
        found = {.place = &places[i], .held = word};
        ++count;
      }
    }
    if (count > most) {
      best = found;
      most = count;
    }
  }
  return best;
}

ReplayTable::Outcome ReplayTable::use(uint64_t key, uint64_t second_key, int64_t until_s,
                                      int64_t now_s) noexcept {
  const uint64_t tag = key & ~kTickMask;
  const uint64_t end = tick_of(until_s);
  const uint64_t now = std::max<uint64_t>(tick_of(now_s), 1) - 1;
  const std::array<Place*, 2> sets = {set(second_key), set(std::rotl(second_key, 32) ^ key)};
  const auto is_live = [now](uint64_t word) { return (word & kTickMask) > now; };
  const auto is_same = [tag](uint64_t word) { return (word & ~kTickMask) == tag; };

  const auto known = [&](const Place* but) {
    for (const Place* const places : sets) {
      for (size_t i = 0; i < kWays; ++i) {
        const uint64_t word = places[i].load();
        if (&places[i] != but && is_live(word) && is_same(word)) {
          return true;
        }
      }
    }
    return false;
  };

  // Another thread may take the place that was found: look again then.
  while (!known(nullptr)) {
    const Vacancy found = vacancy(sets, now);
    if (found.place == nullptr) {
      return Outcome::kFull;
    }
    uint64_t held = found.held;
    if (found.place->compare_exchange_strong(held, tag | end)) {
      return known(found.place) ? Outcome::kReplay : Outcome::kFirst;
    }
  }
  return Outcome::kReplay;
}

size_t ReplayTable::live(int64_t now_s) const noexcept {
  const uint64_t now = tick_of(now_s) - 1;
  size_t count = 0;
  for (size_t i = 0; i < places(); ++i) {
    const uint64_t word = places_[i].load(std::memory_order_relaxed);
    count += (word & kTickMask) > now ? 1 : 0;
  }
  return count;
}

}  // namespace hangu::policy
