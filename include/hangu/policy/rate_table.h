// RateTable: the buckets of one rate limit, one for each key met, shared by all shards of the node
// without a lock. Bounded: a bucket that is full again is forgotten, which changes nothing, and its
// place is taken by another key; keys that find no place share one bucket. Memory: 16 bytes a
// place, touched as keys come.
//
// Each decision is one compare-and-swap. Two threads that meet a key's first request, or a place
// that changes hands, at the same instant may count one request too many or too few.
#pragma once

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <memory>

#include "hangu/policy/gcra.h"

namespace hangu::policy {

class RateTable {
 public:
  struct Taken {
    Gcra::Decision decision;
    bool shared = false;  // the key found no place
  };

  /// For about `keys_max` keys at once.
  explicit RateTable(size_t keys_max);

  RateTable(const RateTable&) = delete;
  RateTable& operator=(const RateTable&) = delete;

  /// `key`: a hash that an attacker cannot foresee.
  Taken take(uint64_t key, const Gcra& rate, uint64_t cost, int64_t now_ns) noexcept;

  /// Undoes a take() that was allowed.
  void give_back(uint64_t key, const Gcra& rate, uint64_t cost, int64_t now_ns) noexcept;

  /// Places, a power of two.
  size_t places() const { return (set_mask_ + 1) * kWays; }

 private:
  static constexpr size_t kWays = 8;  // of a set: two cache lines

  struct Place {
    std::atomic<uint64_t> key;  // 0: never used
    std::atomic<int64_t> full_at_ns;
  };

  struct Free {
    void operator()(Place* places) const noexcept { std::free(places); }
  };

  Place* set(size_t number) const noexcept { return &places_[(number & set_mask_) * kWays]; }

  Place* find(uint64_t key) const noexcept;
  Place* claim(uint64_t key, int64_t now_ns) noexcept;

  static bool is_free(const Place& place, int64_t now_ns) noexcept;
  static size_t free_places(const Place* places, int64_t now_ns) noexcept;
  static Place* claim_in(Place* places, uint64_t key, int64_t now_ns) noexcept;

  std::unique_ptr<Place[], Free> places_;
  size_t set_mask_;
  Place overflow_{};
};

}  // namespace hangu::policy
