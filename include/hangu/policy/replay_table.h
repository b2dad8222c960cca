// ReplayTable: what has been used once and must not be used again before its time is over, shared
// by all shards of the node without a lock. Bounded; it never forgets too early: what finds no
// place is refused, since a protection that forgets under load is none. Memory: 8 bytes a place,
// touched as entries come.
//
// A place is one word, 40 bits of the key and the time of its end, so that taking it is one
// compare-and-swap. Who has taken one looks again: of two threads that bring the same key at the
// same instant at least one sees the other's. So a key passes once at most; if both see each other,
// not at all. Two keys that are alike in all of those bits are told apart by their set only: of
// fresh keys one in 10¹⁰ is taken for one that was used.
#pragma once

#include <cstddef>
#include <cstdint>

#include "hangu/policy/place_sets.h"

namespace hangu::policy {

class ReplayTable {
 public:
  enum class Outcome : uint8_t {
    kFirst,   // and it is remembered now
    kReplay,  // it was there
    kFull,    // nobody knows
  };

  /// For about `entries_max` at once. `start_s`: Unix time before all that comes.
  ReplayTable(size_t entries_max, int64_t start_s);

  ReplayTable(const ReplayTable&) = delete;
  ReplayTable& operator=(const ReplayTable&) = delete;

  /// `key`: a hash that an attacker cannot foresee. `until_s`: Unix time up to which it counts.
  Outcome use(uint64_t key, uint64_t second_key, int64_t until_s, int64_t now_s) noexcept;

  /// As if it had never been used: what it was used for could not be done.
  void give_back(uint64_t key, uint64_t second_key) noexcept;

  /// Places, a power of two.
  size_t places() const { return sets_.size(); }

  /// Entries that count; reads everything, not for shards.
  size_t live(int64_t now_s) const noexcept;

 private:
  static constexpr int kTickBits = 24;  // of the time
  static constexpr uint64_t kTickMask = (uint64_t{1} << kTickBits) - 1;
  static constexpr int64_t kTickSeconds = 16;  // 8 years until they run out

  uint64_t tick_of(int64_t time_s) const noexcept;
  PlaceSets::Both sets_of(uint64_t key, uint64_t second_key) const noexcept;

  PlaceSets sets_;
  int64_t start_s_;
};

}  // namespace hangu::policy
