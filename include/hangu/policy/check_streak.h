// CheckStreak: what the answers to health checks of one endpoint add up to: the first one decides
// alone, afterwards it takes several in a row to change it. Pure.
#pragma once

#include <cstdint>

#include "hangu/config/config.h"
#include "hangu/policy/endpoint_health.h"

namespace hangu::policy {

class CheckStreak {
 public:
  EndpointHealth::Check add(const config::HealthCheck& options, bool good) noexcept {
    using Check = EndpointHealth::Check;
    const Check answer = good ? Check::kGood : Check::kBad;
    if (answer == state_ || state_ == Check::kNone) {
      state_ = answer;
      against_ = 0;
    } else if (++against_ >= (good ? options.healthy : options.unhealthy)) {
      state_ = answer;
      against_ = 0;
    }
    return state_;
  }

  EndpointHealth::Check state() const noexcept { return state_; }

  /// Whether the last answer speaks for the state.
  bool settled() const noexcept { return state_ != EndpointHealth::Check::kNone && against_ == 0; }

 private:
  EndpointHealth::Check state_ = EndpointHealth::Check::kNone;
  uint32_t against_ = 0;  // answers in a row
};

}  // namespace hangu::policy
