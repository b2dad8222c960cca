// QuickRateLimits: all limits of a route asked at once, when they are of the usual kind and let the
// request pass, which is what nearly all requests are. What that takes lies together, so that the
// processor fetches the limits' places side by side; the long way, limit by limit, is taken for the
// rest. Immutable, any thread.
#pragma once

#include <bit>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "hangu/filter/rate_limit.h"
#include "hangu/filter/request_keys.h"

namespace hangu::filter {

class QuickRateLimits {
 public:
  using Limits = std::span<const std::shared_ptr<const RateLimit>>;

  /// The limits outlive it. Nothing passes the quick way unless all of them are plain().
  explicit QuickRateLimits(Limits limits);

  /// True: all limits have let the request pass and counted it. False: none has counted it, and
  /// each is to be asked.
  bool admit(const Stream& stream, int64_t now_ns) const noexcept;

 private:
  using Set = policy::RateTable::Quick::Set;

  /// What decisions read of a limit: one line of cache.
  struct alignas(64) Row {
    policy::RateTable::Quick quick;
    stats::RateLimitSlot* slots;  // of the shards
    const RateLimit* limit;
    uint8_t key;  // its number
    config::MissingKey on_missing_key;
    bool selective;
    bool special;  // the last two have to be looked at
  };

  template <class Visit>
  void for_each(uint32_t some, const Visit& visit) const noexcept {
    for (; some != 0; some &= some - 1) {
      visit(rows_[static_cast<size_t>(std::countr_zero(some))]);
    }
  }

  enum class Said : uint8_t { kTaken, kNoConcern, kAskAgain };

  static Said ask(const Row& row, Set set, const Stream& stream, const RequestKeys::Hashed& keys,
                  int64_t now_ns) noexcept;
  void count(uint32_t taken, uint32_t shard) const noexcept;
  static bool take_anew(const RateLimit& limit, uint64_t key, int64_t now_ns) noexcept;
  static void give_back(const RateLimit& limit, uint64_t key, int64_t now_ns) noexcept;

  RequestKeys keys_;
  std::vector<Row> rows_;  // empty: not the quick way
};

}  // namespace hangu::filter
