#include "hangu/policy/outliers.h"

#include <algorithm>
#include <cmath>

namespace hangu::policy {
namespace {

using Tally = EndpointHealth::Tally;

double success_percent(const Tally& tally) {
  return 100.0 * (1.0 - static_cast<double>(tally.failures) / static_cast<double>(tally.requests));
}

/// Those that had requests enough to be judged; none when they are too few.
std::vector<size_t> judged(std::span<const Tally> tallies, uint32_t requests_min,
                           uint32_t endpoints_min) {
  std::vector<size_t> some;
  for (size_t i = 0; i < tallies.size(); ++i) {
    if (tallies[i].requests != 0 && tallies[i].requests >= requests_min) {
      some.push_back(i);
    }
  }
  return some.size() < endpoints_min ? std::vector<size_t>{} : some;
}

void by_success_rate(const config::SuccessRate& options, std::span<const Tally> tallies,
                     std::vector<Outlier>& found) {
  const auto some = judged(tallies, options.requests_min, options.endpoints_min);
  if (!options.enabled || some.empty()) {
    return;
  }
  const auto count = static_cast<double>(some.size());
  double mean = 0;
  double worst = 100;
  double best = 0;
  for (const size_t index : some) {
    const double percent = success_percent(tallies[index]);
    mean += percent / count;
    worst = std::min(worst, percent);
    best = std::max(best, percent);
  }
  if (worst == best) {
    return;  // their mean, as it is rounded, may lie above all of them
  }
  double variance = 0;
  for (const size_t index : some) {
    variance += std::pow(success_percent(tallies[index]) - mean, 2) / count;
  }
  const double least = mean - std::sqrt(variance) * options.stdev_percent / 100;
  for (const size_t index : some) {
    const double percent = success_percent(tallies[index]);
    if (percent < least) {
      found.push_back({.index = index,
                       .cause = Outlier::Cause::kSuccessRate,
                       .success_percent = percent,
                       .least_percent = least});
    }
  }
}

void by_failure_percentage(const config::FailurePercentage& options, std::span<const Tally> tallies,
                           std::vector<Outlier>& found) {
  if (!options.enabled) {
    return;
  }
  for (const size_t index : judged(tallies, options.requests_min, options.endpoints_min)) {
    const Tally& tally = tallies[index];
    const bool known = std::any_of(found.begin(), found.end(),
                                   [index](const Outlier& each) { return each.index == index; });
    if (!known && uint64_t{tally.failures} * 100 >= uint64_t{options.threshold} * tally.requests) {
      found.push_back({.index = index,
                       .cause = Outlier::Cause::kFailurePercentage,
                       .success_percent = success_percent(tally),
                       .least_percent = 100.0 - options.threshold});
    }
  }
}

}  // namespace

std::vector<Outlier> outliers(const config::Ejection& options, std::span<const Tally> tallies) {
  std::vector<Outlier> found;
  by_success_rate(options.success_rate, tallies, found);
  by_failure_percentage(options.failure_percentage, tallies, found);
  std::sort(found.begin(), found.end(), [](const Outlier& a, const Outlier& b) {
    return a.success_percent < b.success_percent;
  });
  return found;
}

}  // namespace hangu::policy
