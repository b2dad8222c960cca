// InFlightTable: how many requests are under way, by key, shared by all shards of the node without
// a lock. Bounded: a place whose count is zero goes to the next key that needs one; keys that find
// none share one count. Memory: 8 bytes a place, touched as keys come.
//
// A place is one word, key and count, so that taking it over and counting in it are one
// compare-and-swap. Two threads that meet a key's first request at the same instant may put it into
// two places: then so many requests too many may pass as threads met, and only until those end.
#pragma once

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <memory>

namespace hangu::policy {

class InFlightTable {
 public:
  static constexpr uint32_t kCountMax = (1U << 24) - 1;

  using Place = std::atomic<uint64_t>;  // 40 bits of the key, 24 of the count

  struct Taken {
    Place* place = nullptr;  // to be given back; nullptr: there were `limit` already
    bool shared = false;     // the key found no place of its own
  };

  /// For about `keys_max` keys at once.
  explicit InFlightTable(size_t keys_max);

  InFlightTable(const InFlightTable&) = delete;
  InFlightTable& operator=(const InFlightTable&) = delete;

  /// Counts one more of at most `limit` requests. `key`: a hash that an attacker cannot foresee.
  Taken take(uint64_t key, uint32_t limit) noexcept;

  /// Once for each place taken.
  static void give_back(Place& place) noexcept { place.fetch_sub(1, std::memory_order_relaxed); }

  /// How many are under way; 0 for keys that share a count.
  uint32_t count(uint64_t key) const noexcept;

  /// Places, a power of two.
  size_t places() const { return (set_mask_ + 1) * kWays; }

 private:
  static constexpr size_t kWays = 8;  // of a set: one cache line
  static constexpr uint64_t kCountMask = kCountMax;

  /// Whether a place could be had at all.
  enum class Outcome : uint8_t { kTaken, kFull, kLost };

  struct Free {
    void operator()(Place* places) const noexcept { std::free(places); }
  };

  Place* set(uint64_t number) const noexcept { return &places_[(number & set_mask_) * kWays]; }

  Place* find(uint64_t key) const noexcept;
  Place* claim(uint64_t key) noexcept;
  static Outcome enter(Place& place, uint64_t tag, uint32_t limit) noexcept;
  static Place* claim_in(Place* places, uint64_t tag) noexcept;

  std::unique_ptr<Place[], Free> places_;
  size_t set_mask_;
  Place overflow_{0};
};

}  // namespace hangu::policy
