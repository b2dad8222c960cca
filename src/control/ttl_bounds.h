// TtlBounds: when a name is asked again. Pure.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <random>

#include "hangu/base/clock.h"
#include "hangu/config/config.h"

namespace hangu::control {

class TtlBounds {
 public:
  explicit TtlBounds(const config::Upstream& upstream)
      : least_(upstream.dns_ttl_min),
        most_(std::max(upstream.dns_ttl_min, upstream.dns_ttl_max)) {}

  /// Up to a tenth early, so that many names (and many gateways) do not ask in step.
  Duration after_answer(Duration ttl, std::minstd_rand& random) const {
    const Duration held = std::clamp(ttl, least_, most_);
    std::uniform_int_distribution<Duration::rep> early(0, held.count() / 10);
    return std::max(held - Duration(early(random)), least_);
  }

  /// `failures`: in a row.
  Duration after_failure(uint32_t failures, std::minstd_rand& random) const {
    constexpr Duration kRetryMax = std::chrono::seconds(30);
    const uint32_t doublings = std::min(failures - 1, 10U);
    return after_answer(std::min(least_ * (1U << doublings), kRetryMax), random);
  }

 private:
  Duration least_;
  Duration most_;
};

}  // namespace hangu::control
