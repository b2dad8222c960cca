// Slow start: what part of its share an endpoint gets that is new or has come back. Pure.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "hangu/config/config.h"

namespace hangu::policy {

inline constexpr uint32_t kFullShare = 1000;  // permille

/// 1 … kFullShare. `since_ns`: 0 when it has been there from the beginning; it may be a little
/// after `now_ns`, as the prober's clock is read anew and a shard's once a turn. A window of 0:
/// none.
inline uint32_t share_of(const config::SlowStart& options, int64_t since_ns, int64_t now_ns) {
  const int64_t age = now_ns - since_ns;
  const int64_t window = options.window.count();
  if (since_ns == 0 || window <= 0 || age >= window) {
    return kFullShare;
  }
  const double part = static_cast<double>(std::max<int64_t>(age, 0)) / static_cast<double>(window);
  const double share = std::max(std::pow(part, 1.0 / options.aggression),
                                static_cast<double>(options.percent_min) / 100);
  return std::max(static_cast<uint32_t>(share * kFullShare), 1U);
}

}  // namespace hangu::policy
