// Outliers: which endpoints did so badly in an interval, beside the others, that they are to be
// ejected. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "hangu/config/config.h"
#include "hangu/policy/endpoint_health.h"

namespace hangu::policy {

struct Outlier {
  enum class Cause : uint8_t { kSuccessRate, kFailurePercentage };

  size_t index = 0;
  Cause cause = Cause::kSuccessRate;
  double success_percent = 0;
  double least_percent = 0;  // what was to be surpassed, or reached by success_rate
};

/// The worst first. `tallies`: of the interval, one for each endpoint.
std::vector<Outlier> outliers(const config::Ejection& options,
                              std::span<const EndpointHealth::Tally> tallies);

}  // namespace hangu::policy
