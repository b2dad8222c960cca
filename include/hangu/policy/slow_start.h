// Slow start: what part of its share an endpoint gets that is new or has come back. Pure.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "hangu/config/config.h"

namespace hangu::policy {

inline constexpr uint32_t kFullShare = 1000;  // permille

/// 1 … kFullShare. `since_ns`: 0 when it has been there from the beginning.
inline uint32_t share_of(const config::SlowStart& options, int64_t since_ns, int64_t now_ns) {
  const int64_t age = now_ns - since_ns;
  if (since_ns == 0 || age >= options.window.count()) {
    return kFullShare;
  }
  const double part =
      static_cast<double>(std::max<int64_t>(age, 0)) / static_cast<double>(options.window.count());
  const double share = std::max(std::pow(part, 1.0 / options.aggression),
                                static_cast<double>(options.percent_min) / 100);
  return std::max(static_cast<uint32_t>(share * kFullShare), 1U);
}

}  // namespace hangu::policy
