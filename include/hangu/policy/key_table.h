// KeyTable: one number for each key met, in a table of bounded size that threads share without a
// lock, or that one thread has for itself. A key has its place in one of two sets of eight; whether
// the number of another key is as good as none, so that its place may be taken, says the caller.
// Keys that find no place share one. Memory: 16 bytes a place, touched as keys come.
//
// Two threads that meet a key's first request, or a place that changes hands, at the same instant
// may lose the number that one of them has just written.
#pragma once

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <span>
#include <utility>

#include "hangu/base/assert.h"

namespace hangu::policy {

/// A word of a table that threads share.
template <class T>
class SharedWord {
 public:
  T load() const noexcept { return value_.load(std::memory_order_relaxed); }

  /// On failure `expected` becomes what is there.
  bool replace(T& expected, T desired) noexcept {
    return value_.compare_exchange_strong(expected, desired, std::memory_order_relaxed);
  }

  /// For the only thread that replaces it at the time: several times as fast.
  void put(T desired) noexcept { value_.store(desired, std::memory_order_relaxed); }

 private:
  std::atomic<T> value_;
};

/// A word of a table that one thread has for itself.
template <class T>
class OwnWord {
 public:
  T load() const noexcept { return value_; }

  bool replace(T& /*expected*/, T desired) noexcept {
    value_ = desired;
    return true;
  }

  void put(T desired) noexcept { value_ = desired; }

 private:
  T value_;
};

template <template <class> class Word>
class KeyTable {
 public:
  struct Place {
    Word<uint64_t> key;  // 0: never used
    Word<int64_t> value;
  };

  /// The set in which a key is looked for first. For who keeps this beside what else it needs: the
  /// table itself would be one more line of cache. Valid as long as the table.
  class FirstSets {
   public:
    /// Of a key that will be looked for soon: the memory is on its way.
    Place* approach(uint64_t key) const noexcept {
      Place* const places = set(usable(key));
      __builtin_prefetch(places, 1);
      return places;
    }

   private:
    friend class KeyTable;

    Place* set(size_t number) const noexcept { return &places_[(number & mask_) * kWays]; }

    Place* places_ = nullptr;
    size_t mask_ = 0;
  };

  /// In the set that approach() gave. nullptr: the key is in its other set, or nowhere.
  static Place* find_in(Place* places, uint64_t key) noexcept {
    key = usable(key);
    for (Place* place = places; place != places + kWays; ++place) {
      if (place->key.load() == key) {
        return place;
      }
    }
    return nullptr;
  }

  /// For about `keys_max` keys at once.
  explicit KeyTable(size_t keys_max) {
    const size_t wanted = (keys_max + keys_max / kSparePart) / kWays;
    const size_t sets = std::bit_ceil(std::max(wanted, kSetsMin));
    // Zeroed memory that is not touched before a key needs it.
    places_.reset(static_cast<Place*>(std::calloc(sets * kWays, sizeof(Place))));
    HANGU_ASSERT(places_ != nullptr);
    sets_.places_ = places_.get();
    sets_.mask_ = sets - 1;
  }

  KeyTable(const KeyTable&) = delete;
  KeyTable& operator=(const KeyTable&) = delete;

  /// nullptr: the key has no place. `key`: a hash that an attacker cannot foresee.
  Place* find(uint64_t key) const noexcept {
    key = usable(key);
    Place* const found = find_in(set(key), key);
    return found != nullptr ? found : find_in(set(second(key)), key);
  }

  FirstSets first_sets() const { return sets_; }

  /// The key will be looked for soon.
  void prefetch(uint64_t key) const noexcept {
    const Place* const places = set(usable(key));
    __builtin_prefetch(places);
    __builtin_prefetch(places + kWays / 2);
  }

  /// The place of the key, or one whose value is free, in the emptier of its two sets; nullptr: all
  /// are taken.
  template <class IsFree>
  Place* find_or_claim(uint64_t key, const IsFree& is_free) noexcept {
    Place* const found = find(key);
    return found != nullptr ? found : claim(usable(key), is_free);
  }

  /// What keys without a place share.
  Place& shared() { return shared_; }

  std::span<Place> places() const { return {places_.get(), (sets_.mask_ + 1) * kWays}; }

 private:
  static constexpr size_t kWays = 8;  // of a set: two cache lines
  static constexpr size_t kSetsMin = 8;
  // A place is free for another key only in one of two sets: with a quarter more places than keys
  // next to none goes without.
  static constexpr size_t kSparePart = 4;

  struct Free {
    void operator()(Place* places) const noexcept { std::free(places); }
  };

  static uint64_t usable(uint64_t key) { return key != 0 ? key : 1; }

  /// The second set a key may be in.
  static size_t second(uint64_t key) { return static_cast<size_t>(std::rotl(key, 32)); }

  Place* set(size_t number) const noexcept { return sets_.set(number); }

  template <class IsFree>
  static bool takes(const Place& place, const IsFree& is_free) noexcept {
    return place.key.load() == 0 || is_free(place.value.load());
  }

  template <class IsFree>
  static size_t free_places(const Place* places, const IsFree& is_free) noexcept {
    return static_cast<size_t>(std::count_if(
        places, places + kWays, [&](const Place& place) { return takes(place, is_free); }));
  }

  template <class IsFree>
  static Place* claim_in(Place* places, uint64_t key, const IsFree& is_free) noexcept {
    for (size_t i = 0; i < kWays; ++i) {
      uint64_t held = places[i].key.load();
      if (takes(places[i], is_free) && (places[i].key.replace(held, key) || held == key)) {
        return &places[i];
      }
    }
    return nullptr;
  }

  template <class IsFree>
  Place* claim(uint64_t key, const IsFree& is_free) noexcept {
    Place* emptier = set(key);
    Place* fuller = set(second(key));
    if (free_places(emptier, is_free) < free_places(fuller, is_free)) {
      std::swap(emptier, fuller);
    }
    Place* const claimed = claim_in(emptier, key, is_free);
    return claimed != nullptr ? claimed : claim_in(fuller, key, is_free);
  }

  std::unique_ptr<Place[], Free> places_;
  FirstSets sets_;
  Place shared_{};
};

}  // namespace hangu::policy
