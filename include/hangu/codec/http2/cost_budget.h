// CostBudget: what a peer may make us do for nothing. Frames that cost us work and bring nobody
// anything are paid from a token bucket; a peer that lets us do useful work earns some back, so
// that a busy connection is not mistaken for an attack. Takes the time as an argument. One
// connection.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

#include "hangu/base/clock.h"

namespace hangu::codec::http2 {

class CostBudget {
 public:
  struct Options {
    uint32_t burst = 500;       // tokens at most, and at first
    uint32_t per_second = 100;  // tokens that come back
  };

  explicit CostBudget(const Options& options)
      : options_(options),
        tokens_(options.burst) {}

  /// False: the budget is exhausted.
  bool spend(uint32_t tokens, TimePoint now) noexcept {
    refill(now);
    if (tokens_ < tokens) {
      return false;
    }
    tokens_ -= tokens;
    return true;
  }

  void earn(uint32_t tokens) noexcept { tokens_ = std::min(tokens_ + tokens, options_.burst); }

 private:
  void refill(TimePoint now) noexcept {
    constexpr auto kSecond = std::chrono::nanoseconds(std::chrono::seconds(1));
    if (refilled_ == TimePoint{}) {
      refilled_ = now;
    }
    const auto elapsed = std::min<std::chrono::nanoseconds>(now - refilled_, std::chrono::hours(1));
    const auto whole = static_cast<uint64_t>(elapsed.count()) * options_.per_second /
                       static_cast<uint64_t>(kSecond.count());
    if (whole != 0) {
      refilled_ = now;
      tokens_ = static_cast<uint32_t>(std::min<uint64_t>(tokens_ + whole, options_.burst));
    }
  }

  Options options_;
  uint32_t tokens_;
  TimePoint refilled_{};
};

}  // namespace hangu::codec::http2
