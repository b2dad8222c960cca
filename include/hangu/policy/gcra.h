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
    int64_t left_ns = 0;      // what is left in the bucket, as time: see many_of()
    int64_t retry_in_ns = 0;  // when refused: until the same would be allowed
  };

  /// `count` requests each `per_ns`; up to `burst` at once. All at least 1.
  Gcra(uint64_t count, int64_t per_ns, uint64_t burst)
      : count_(static_cast<int64_t>(std::min<uint64_t>(count, kCountMax))),
        per_ns_(per_ns),
        one_ns_(time_of_many(1)),
        tolerance_ns_(std::max<int64_t>(time_of_many(burst), 1)) {}

  /// What a request of `cost` gets when the bucket is full again at `full_at_ns`, any time.
  Decision decide(int64_t full_at_ns, int64_t now_ns, uint64_t cost) const noexcept {
    const int64_t from = std::max(full_at_ns, now_ns);
    const int64_t wanted = from + time_of(cost);
    if (wanted - now_ns > tolerance_ns_) {
      return {.full_at_ns = full_at_ns,
              .left_ns = tolerance_ns_ - (from - now_ns),
              .retry_in_ns = wanted - now_ns - tolerance_ns_};
    }
    return {.allowed = true, .full_at_ns = wanted, .left_ns = tolerance_ns_ - (wanted - now_ns)};
  }

  /// The state after `cost` was taken, whether it was there or not: the bucket may be in debt.
  int64_t charge(int64_t full_at_ns, int64_t now_ns, uint64_t cost) const noexcept {
    return std::min(std::max(full_at_ns, now_ns) + time_of(cost), now_ns + kDebtMaxNs);
  }

  /// In which so much comes back. Rounded down by less than a nanosecond.
  int64_t time_of(uint64_t cost) const noexcept { return cost == 1 ? one_ns_ : time_of_many(cost); }

  /// How many requests of cost 1 would be allowed by what is left. It divides, so ask when somebody
  /// wants to know.
  uint64_t many_of(int64_t left_ns) const noexcept {
    if (left_ns <= 0) {
      return 0;
    }
    return one_ns_ > kExactNs
               ? static_cast<uint64_t>(left_ns / one_ns_)
               : static_cast<uint64_t>(static_cast<__int128>(left_ns) * count_ / per_ns_);
  }

  /// What a full bucket holds, as time.
  int64_t tolerance_ns() const { return tolerance_ns_; }

  /// The same amount of requests in the state of another rate.
  int64_t rescale(int64_t full_at_ns, int64_t now_ns, const Gcra& from) const noexcept {
    const double ratio = static_cast<double>(per_ns_) / static_cast<double>(count_) *
                         static_cast<double>(from.count_) / static_cast<double>(from.per_ns_);
    const double time_ns = static_cast<double>(full_at_ns - now_ns) * ratio;
    return now_ns + static_cast<int64_t>(std::min(time_ns, static_cast<double>(kDebtMaxNs)));
  }

  bool operator==(const Gcra&) const = default;

 private:
  static constexpr uint64_t kCountMax = uint64_t{1} << 45;
  static constexpr int64_t kDebtMaxNs = int64_t{1} << 60;  // 36 years

  int64_t time_of_many(uint64_t cost) const noexcept {
    const __int128 time = static_cast<__int128>(cost) * per_ns_ / count_;
    return static_cast<int64_t>(std::min<__int128>(time, kDebtMaxNs));
  }

  // Above this the rounding of one_ns_ does not show in what is left.
  static constexpr int64_t kExactNs = 100'000;

  int64_t count_;
  int64_t per_ns_;
  int64_t one_ns_;        // what a request of cost 1 takes
  int64_t tolerance_ns_;  // what the bucket holds
};

}  // namespace hangu::policy
