// QuotaTable: how much each key has used in a window of the calendar, for all shards of the node,
// without a lock. A count of an earlier window is as good as none. Bounded like RateTable.
#pragma once

#include <cstdint>

#include "hangu/policy/key_table.h"

namespace hangu::policy {

inline constexpr uint64_t kQuotaMax = 100'000'000'000'000;

class QuotaTable {
 public:
  struct Taken {
    bool allowed = false;
    uint64_t used = 0;    // of the window, this request included if it was allowed
    bool shared = false;  // the key found no place
  };

  explicit QuotaTable(size_t keys_max)
      : table_(keys_max) {}

  /// `window`: a number below 65536 that never becomes less; an earlier one, of a clock that was
  /// set back, counts in the latest.
  Taken take(uint64_t key, uint32_t window, uint64_t limit, uint64_t cost) noexcept;

  /// What take() would say; takes nothing.
  Taken probe(uint64_t key, uint32_t window, uint64_t limit, uint64_t cost) noexcept;

  /// Takes what may not be there.
  void charge(uint64_t key, uint32_t window, uint64_t cost) noexcept;
  void give_back(uint64_t key, uint32_t window, uint64_t cost) noexcept;

  /// Calls `visit(key, used)` for each count of the window. Any thread.
  template <class Visit>
  void for_each(uint32_t window, const Visit& visit) const {
    for (const Place& place : table_.places()) {
      const uint64_t key = place.key.load();
      const Count count = unpack(place.value.load());
      if (key != 0 && count.window == window && count.used != 0) {
        visit(key, count.used);
      }
    }
  }

 private:
  using Place = KeyTable<SharedWord>::Place;

  struct Count {
    uint32_t window = 0;
    uint64_t used = 0;
  };

  static constexpr int kUsedBits = 47;
  static constexpr uint64_t kUsedMax = (uint64_t{1} << kUsedBits) - 1;

  static Count unpack(int64_t value) {
    const auto bits = static_cast<uint64_t>(value);
    return {.window = static_cast<uint32_t>(bits >> kUsedBits), .used = bits & kUsedMax};
  }

  static int64_t pack(Count count) {
    return static_cast<int64_t>(uint64_t{count.window} << kUsedBits |
                                std::min(count.used, kUsedMax));
  }

  static Count current(int64_t value, uint32_t window) {
    const Count count = unpack(value);
    return count.window < window ? Count{.window = window} : count;
  }

  Place& place(uint64_t key, uint32_t window, bool& shared) noexcept;

  template <class Change>
  static void change(Place& place, const Change& change) noexcept;

  KeyTable<SharedWord> table_;
};

}  // namespace hangu::policy
