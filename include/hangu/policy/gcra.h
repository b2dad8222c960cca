// Gcra: the generic cell rate algorithm, a token bucket whose whole state is one time: when the
// bucket will be full again. Pure; the caller keeps the state and brings the time.
#pragma once

#include <algorithm>
#include <cstdint>

namespace hangu::policy {

class Gcra {
 public:
  struct Decision {
    bool allowed = false;
    int64_t full_at_ns = 0;   // the new state; when refused the old one
    uint64_t remaining = 0;   // further requests of cost 1 that would be allowed now
    int64_t retry_in_ns = 0;  // when refused: until the same would be allowed
  };

  /// `count` requests each `per_ns`; up to `burst` at once. All at least 1, count ≤ per_ns.
  Gcra(uint64_t count, int64_t per_ns, uint64_t burst)
      : interval_ns_(std::max<int64_t>(per_ns / static_cast<int64_t>(count), 1)),
        tolerance_ns_(interval_ns_ * static_cast<int64_t>(burst)) {}

  /// What a request of `cost` gets when the bucket is full again at `full_at_ns`, any time.
  Decision decide(int64_t full_at_ns, int64_t now_ns, uint64_t cost) const noexcept {
    const int64_t from = std::max(full_at_ns, now_ns);
    const int64_t wanted = from + interval_ns_ * static_cast<int64_t>(cost);
    if (wanted - now_ns > tolerance_ns_) {
      return {.full_at_ns = full_at_ns,
              .remaining = left(from, now_ns),
              .retry_in_ns = wanted - now_ns - tolerance_ns_};
    }
    return {.allowed = true, .full_at_ns = wanted, .remaining = left(wanted, now_ns)};
  }

  int64_t interval_ns() const { return interval_ns_; }

 private:
  uint64_t left(int64_t full_at_ns, int64_t now_ns) const noexcept {
    const int64_t free_ns = tolerance_ns_ - (full_at_ns - now_ns);
    return free_ns <= 0 ? 0 : static_cast<uint64_t>(free_ns / interval_ns_);
  }

  int64_t interval_ns_;   // what a request costs
  int64_t tolerance_ns_;  // what the bucket holds
};

}  // namespace hangu::policy
