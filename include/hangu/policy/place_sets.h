// PlaceSets: the memory of tables that remember hashed keys for a time, one word each, shared by
// all shards without a lock. A key may be in either of two sets of eight places, and goes into the
// emptier one, so that nearly all places are used before one is missing. What a word says is its
// table's. 8 bytes a place, touched as entries come.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>

namespace hangu::policy {

class PlaceSets {
 public:
  using Place = std::atomic<uint64_t>;
  using Both = std::array<Place*, 2>;

  static constexpr size_t kWays = 8;  // of a set

  /// For about `entries_max` at once.
  explicit PlaceSets(size_t entries_max);

  /// The first place of the set that these bits choose.
  Place* set(uint64_t number) const noexcept { return &places_[(number & set_mask_) * kWays]; }

  Place& operator[](size_t at) const noexcept { return places_[at]; }

  /// Places, a power of two.
  size_t size() const noexcept { return (set_mask_ + 1) * kWays; }

  /// Whether one of the words of both sets is `wanted`; `but` is not looked at.
  template <class Wanted>
  static bool any(const Both& sets, Wanted wanted, const Place* but = nullptr) noexcept {
    for (const Place* const places : sets) {
      for (size_t i = 0; i < kWays; ++i) {
        if (&places[i] != but && wanted(places[i].load())) {
          return true;
        }
      }
    }
    return false;
  }

  /// A place that may be taken, and what is there.
  struct Vacancy {
    Place* place = nullptr;
    uint64_t held = 0;
  };

  /// One of the emptier set.
  template <class IsFree>
  static Vacancy vacancy(const Both& sets, IsFree is_free) noexcept {
    Vacancy best;
    size_t most = 0;
    for (Place* const places : sets) {
      Vacancy found;
      size_t count = 0;
      for (size_t i = 0; i < kWays; ++i) {
        const uint64_t word = places[i].load();
        if (is_free(word)) {
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

 private:
  static constexpr size_t kSetsMin = 8;
  static constexpr size_t kSparePart = 4;  // places beyond entries: next to none goes without

  struct Free {
    void operator()(Place* places) const noexcept { std::free(places); }
  };

  std::unique_ptr<Place[], Free> places_;
  size_t set_mask_;
};

}  // namespace hangu::policy
