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

void add_below(std::vector<Outlier>& found, std::span<const Tally> tallies,
               const std::vector<size_t>& some, double least, Outlier::Cause cause) {
  for (const size_t index : some) {
    const double percent = success_percent(tallies[index]);
    const bool known = std::any_of(found.begin(), found.end(),
                                   [&](const Outlier& each) { return each.index == index; });
    if (percent < least && !known) {
      found.push_back(
          {.index = index, .cause = cause, .success_percent = percent, .least_percent = least});
    }
  }
}

void by_success_rate(const config::SuccessRate& options, std::span<const Tally> tallies,
                     std::vector<Outlier>& found) {
  const auto some = judged(tallies, options.requests_min, options.endpoints_min);
  if (!options.enabled || some.empty()) {
    return;
  }
  const auto count = static_cast<double>(some.size());
  double mean = 0;
  for (const size_t index : some) {
    mean += success_percent(tallies[index]) / count;
  }
  double variance = 0;
  for (const size_t index : some) {
    variance += std::pow(success_percent(tallies[index]) - mean, 2) / count;
  }
  const double least = mean - std::sqrt(variance) * options.stdev_percent / 100;
  add_below(found, tallies, some, least, Outlier::Cause::kSuccessRate);
}

}  // namespace

std::vector<Outlier> outliers(const config::Ejection& options, std::span<const Tally> tallies) {
  std::vector<Outlier> found;
  by_success_rate(options.success_rate, tallies, found);
  const config::FailurePercentage& percentage = options.failure_percentage;
  if (percentage.enabled) {
    // Failures of `threshold` percent and more.
    add_below(found, tallies, judged(tallies, percentage.requests_min, percentage.endpoints_min),
              std::nextafter(100.0 - percentage.threshold, 101.0),
              Outlier::Cause::kFailurePercentage);
  }
  std::sort(found.begin(), found.end(), [](const Outlier& a, const Outlier& b) {
    return a.success_percent < b.success_percent;
  });
  return found;
}

}  // namespace hangu::policy
