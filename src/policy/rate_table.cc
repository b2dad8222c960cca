#include "hangu/policy/rate_table.h"

#include <bit>
#include <utility>

#include "hangu/base/assert.h"

namespace hangu::policy {
namespace {

constexpr size_t kSetsMin = 8;
// A place is free for another key only in one of two sets: with a quarter more places than keys
// next to none goes without.
constexpr size_t kSparePart = 4;

/// The second set a key may be in.
size_t second(uint64_t key) {
  return static_cast<size_t>(std::rotl(key, 32));
}

}  // namespace

RateTable::RateTable(size_t keys_max) {
  const size_t wanted = (keys_max + keys_max / kSparePart) / kWays;
  const size_t sets = std::bit_ceil(std::max(wanted, kSetsMin));
  set_mask_ = sets - 1;
  // Zeroed memory that is not touched before a key needs it.
  places_.reset(static_cast<Place*>(std::calloc(sets * kWays, sizeof(Place))));
  HANGU_ASSERT(places_ != nullptr);
}

RateTable::Place* RateTable::find(uint64_t key) const noexcept {
  for (Place* const places : {set(key), set(second(key))}) {
    for (size_t i = 0; i < kWays; ++i) {
      if (places[i].key.load(std::memory_order_relaxed) == key) {
        return &places[i];
      }
    }
  }
  return nullptr;
}

/// A place whose bucket is full again is as good as new.
size_t RateTable::free_places(const Place* places, int64_t now_ns) noexcept {
  size_t free = 0;
  for (size_t i = 0; i < kWays; ++i) {
    free += is_free(places[i], now_ns) ? 1 : 0;
  }
  return free;
}

bool RateTable::is_free(const Place& place, int64_t now_ns) noexcept {
  return place.key.load(std::memory_order_relaxed) == 0 ||
         place.full_at_ns.load(std::memory_order_relaxed) <= now_ns;
}

RateTable::Place* RateTable::claim_in(Place* places, uint64_t key, int64_t now_ns) noexcept {
  for (size_t i = 0; i < kWays; ++i) {
    Place& place = places[i];
    uint64_t held = place.key.load(std::memory_order_relaxed);
    if (!is_free(place, now_ns)) {
      continue;
    }
    if (place.key.compare_exchange_strong(held, key, std::memory_order_relaxed) || held == key) {
      return &place;
    }
  }
  return nullptr;
}

/// In the emptier of its two sets.
RateTable::Place* RateTable::claim(uint64_t key, int64_t now_ns) noexcept {
  Place* emptier = set(key);
  Place* fuller = set(second(key));
  if (free_places(emptier, now_ns) < free_places(fuller, now_ns)) {
    std::swap(emptier, fuller);
  }
  Place* const claimed = claim_in(emptier, key, now_ns);
  return claimed != nullptr ? claimed : claim_in(fuller, key, now_ns);
}

RateTable::Taken RateTable::take(uint64_t key, const Gcra& rate, uint64_t cost,
                                 int64_t now_ns) noexcept {
  key = key != 0 ? key : 1;
  Taken taken;
  Place* place = find(key);
  place = place != nullptr ? place : claim(key, now_ns);
  if (place == nullptr) {
    place = &overflow_;
    taken.shared = true;
  }
  int64_t full_at_ns = place->full_at_ns.load(std::memory_order_relaxed);
  do {
    taken.decision = rate.decide(full_at_ns, now_ns, cost);
  } while (taken.decision.allowed &&
           !place->full_at_ns.compare_exchange_weak(full_at_ns, taken.decision.full_at_ns,
                                                    std::memory_order_relaxed));
  return taken;
}

void RateTable::give_back(uint64_t key, const Gcra& rate, uint64_t cost, int64_t now_ns) noexcept {
  key = key != 0 ? key : 1;
  Place* found = find(key);
  Place& place = found != nullptr ? *found : overflow_;
  if (place.full_at_ns.load(std::memory_order_relaxed) > now_ns) {
    place.full_at_ns.fetch_sub(rate.interval_ns() * static_cast<int64_t>(cost),
                               std::memory_order_relaxed);
  }
}

}  // namespace hangu::policy
