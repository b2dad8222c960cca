#include "hangu/policy/in_flight_table.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "hangu/base/assert.h"

namespace hangu::policy {
namespace {

constexpr size_t kSetsMin = 8;
constexpr size_t kSparePart = 4;  // as in RateTable: room to find one of two sets free
// A place that was found may be gone before it is entered; after so many times the key shares.
constexpr int kTriesMax = 4;

/// The part of a place that tells its key: the upper 40 bits. The sets go by the others.
uint64_t tag_of(uint64_t key) {
  return key & ~uint64_t{InFlightTable::kCountMax};
}

/// The second set a key may be in.
uint64_t second(uint64_t key) {
  return std::rotl(key, 32);
}

}  // namespace

InFlightTable::InFlightTable(size_t keys_max) {
  const size_t wanted = (keys_max + keys_max / kSparePart) / kWays;
  const size_t sets = std::bit_ceil(std::max(wanted, kSetsMin));
  set_mask_ = sets - 1;
  // Zeroed memory that is not touched before a key needs it.
  places_.reset(static_cast<Place*>(std::calloc(sets * kWays, sizeof(Place))));
  HANGU_ASSERT(places_ != nullptr);
}

/// A place of that key with something under way.
InFlightTable::Place* InFlightTable::find(uint64_t key) const noexcept {
  for (Place* const places : {set(key), set(second(key))}) {
    for (size_t i = 0; i < kWays; ++i) {
      const uint64_t word = places[i].load(std::memory_order_relaxed);
      if ((word & kCountMask) != 0 && tag_of(word) == tag_of(key)) {
        return &places[i];
      }
    }
  }
  return nullptr;
}

InFlightTable::Place* InFlightTable::claim_in(Place* places, uint64_t tag) noexcept {
  for (size_t i = 0; i < kWays; ++i) {
    uint64_t word = places[i].load(std::memory_order_relaxed);
    if ((word & kCountMask) == 0 &&
        places[i].compare_exchange_strong(word, tag | 1, std::memory_order_relaxed)) {
      return &places[i];
    }
  }
  return nullptr;
}

/// A place with nothing under way, in the emptier of the key's sets.
InFlightTable::Place* InFlightTable::claim(uint64_t key) noexcept {
  const auto free_places = [](const Place* places) {
    return std::count_if(places, places + kWays, [](const Place& place) {
      return (place.load(std::memory_order_relaxed) & kCountMask) == 0;
    });
  };
  Place* emptier = set(key);
  Place* fuller = set(second(key));
  if (free_places(emptier) < free_places(fuller)) {
    std::swap(emptier, fuller);
  }
  Place* const claimed = claim_in(emptier, tag_of(key));
  return claimed != nullptr ? claimed : claim_in(fuller, tag_of(key));
}

/// Counts one more, unless the place belongs to another key by now.
InFlightTable::Outcome InFlightTable::enter(Place& place, uint64_t tag, uint32_t limit) noexcept {
  uint64_t word = place.load(std::memory_order_relaxed);
  do {
    if ((word & kCountMask) == 0 || tag_of(word) != tag) {
      return Outcome::kLost;
    }
    if ((word & kCountMask) >= limit) {
      return Outcome::kFull;
    }
  } while (!place.compare_exchange_weak(word, word + 1, std::memory_order_relaxed));
  return Outcome::kTaken;
}

InFlightTable::Taken InFlightTable::take(uint64_t key, uint32_t limit) noexcept {
  HANGU_DCHECK(limit > 0 && limit <= kCountMax);
  for (int i = 0; i < kTriesMax; ++i) {
    Place* place = find(key);
    if (place == nullptr) {
      place = claim(key);
      if (place == nullptr) {
        break;
      }
      return {.place = place};
    }
    switch (enter(*place, tag_of(key), limit)) {
      case Outcome::kTaken: return {.place = place};
      case Outcome::kFull: return {};
      case Outcome::kLost: break;
    }
  }
  uint64_t count = overflow_.load(std::memory_order_relaxed);
  do {
    if (count >= limit) {
      return {.place = nullptr, .shared = true};
    }
  } while (!overflow_.compare_exchange_weak(count, count + 1, std::memory_order_relaxed));
  return {.place = &overflow_, .shared = true};
}

uint32_t InFlightTable::count(uint64_t key) const noexcept {
  const Place* const place = find(key);
  return place != nullptr
             ? static_cast<uint32_t>(place->load(std::memory_order_relaxed) & kCountMask)
             : 0;
}

}  // namespace hangu::policy
