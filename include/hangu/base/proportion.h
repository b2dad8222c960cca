// What a sample says of a whole: a count that is high may be so by chance.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace hangu {

/// The least ratio that `hits` of `total` still speak for, in 99 of 100 cases: the lower end of
/// Wilson's interval, which holds for small numbers, too.
inline double least_likely_ratio(uint64_t hits, uint64_t total) noexcept {
  if (hits == 0 || total == 0) {
    return 0;
  }
  constexpr double kDeviations = 2.326;
  constexpr double kSquare = kDeviations * kDeviations;
  const auto n = static_cast<double>(total);
  const double ratio = static_cast<double>(hits) / n;
  const double middle = ratio + kSquare / (2 * n);
  const double spread = kDeviations * std::sqrt(ratio * (1 - ratio) / n + kSquare / (4 * n * n));
  return std::max((middle - spread) / (1 + kSquare / n), 0.0);
}

}  // namespace hangu
