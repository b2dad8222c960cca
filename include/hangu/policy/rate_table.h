// RateTable: the buckets of one rate limit, one for each key met, shared by all shards of the node
// without a lock; ShardRateTable: the same for one shard alone, without atomics. Bounded: a bucket
// that is full again is forgotten, which changes nothing, and its place is taken by another key;
// keys that find no place share one bucket. See KeyTable for what a race may lose.
#pragma once

#include <cstdint>

#include "hangu/policy/gcra.h"
#include "hangu/policy/key_table.h"

namespace hangu::policy {

struct RateTaken {
  Gcra::Decision decision;
  bool shared = false;  // the key found no place
  uint64_t stock = 0;   // of requests, beside what the decision says is left
};

template <template <class> class Word>
class BasicRateTable {
 public:
  using Taken = RateTaken;

  class Quick;

  /// For about `keys_max` keys at once.
  explicit BasicRateTable(size_t keys_max)
      : table_(keys_max) {}

  /// The key is asked for soon.
  void prefetch(uint64_t key) const noexcept { table_.prefetch(key); }

  Taken take(uint64_t key, const Gcra& rate, uint64_t cost, int64_t now_ns) noexcept;

  /// What take() would say; takes nothing.
  Taken probe(uint64_t key, const Gcra& rate, uint64_t cost, int64_t now_ns) noexcept;

  /// Takes what may not be there: the bucket goes into debt.
  void charge(uint64_t key, const Gcra& rate, uint64_t cost, int64_t now_ns) noexcept;

  /// Undoes a take() that was allowed.
  void give_back(uint64_t key, const Gcra& rate, uint64_t cost, int64_t now_ns) noexcept;

  /// The bucket will not be full before that: others have taken of it.
  void raise(uint64_t key, int64_t full_at_ns, int64_t now_ns) noexcept;

  /// The limit has changed from one rate to another: what was taken of it stays taken.
  void rescale(const Gcra& from, const Gcra& to, int64_t now_ns) noexcept;

  /// Places, a power of two.
  size_t places() const { return table_.places().size(); }

 private:
  using Place = typename KeyTable<Word>::Place;

  Place& place(uint64_t key, int64_t now_ns, bool& shared) noexcept;

  template <class Change>
  static void change(Place& place, const Change& change) noexcept;

  KeyTable<Word> table_;
};

/// take() for one rate and one cost, of keys that the table knows: all that takes lies here and in
/// the key's place. Valid as long as the table.
template <template <class> class Word>
class BasicRateTable<Word>::Quick {
 public:
  using Set = Place*;

  /// `alone`: no other thread takes. What one does beside it, like rescale(), may then be lost for
  /// a bucket that is being taken from.
  Quick(const BasicRateTable& table, const Gcra& rate, uint64_t cost, bool alone)
      : sets_(table.table_.first_sets()),
        cost_ns_(rate.time_of(cost)),
        tolerance_ns_(rate.tolerance_ns()),
        alone_(alone) {}

  /// For take() of that key, soon.
  Set approach(uint64_t key) const noexcept { return sets_.approach(key); }

  /// kUnknown: the table is to be asked.
  enum class Said : uint8_t { kTaken, kRefused, kUnknown };

  Said take(Set set, uint64_t key, int64_t now_ns) const noexcept {
    Place* const place = KeyTable<Word>::find_in(set, key);
    return place != nullptr ? take_of(*place, now_ns) : Said::kUnknown;
  }

 private:
  Said take_of(Place& place, int64_t now_ns) const noexcept {
    int64_t full_at_ns = place.value.load();
    for (;;) {
      const int64_t wanted_ns = std::max(full_at_ns, now_ns) + cost_ns_;
      if (wanted_ns - now_ns > tolerance_ns_) {
        return Said::kRefused;
      }
      if (alone_) {
        place.value.put(wanted_ns);
        return Said::kTaken;
      }
      if (place.value.replace(full_at_ns, wanted_ns)) {
        return Said::kTaken;
      }
    }
  }

  typename KeyTable<Word>::FirstSets sets_;
  int64_t cost_ns_;
  int64_t tolerance_ns_;
  bool alone_;
};

extern template class BasicRateTable<SharedWord>;
extern template class BasicRateTable<OwnWord>;

using RateTable = BasicRateTable<SharedWord>;
using ShardRateTable = BasicRateTable<OwnWord>;

}  // namespace hangu::policy
