// PeakEwma: a moving average of latencies that believes a bad one at once and forgets it slowly.
// One shard.
#pragma once

#include <cmath>
#include <cstdint>

namespace hangu::policy {

class PeakEwma {
 public:
  void observe(double latency_ns, int64_t now_ns) noexcept {
    const double known = at(now_ns);
    if (latency_ns >= known) {
      value_ = latency_ns;
    } else {
      const double weight = decay(now_ns);
      value_ = value_ * weight + latency_ns * (1 - weight);
    }
    at_ns_ = now_ns;
  }

  /// What the endpoint would cost with so many requests under way. One that is not known yet and
  /// already has requests is taken for slow.
  double cost(uint64_t active, int64_t now_ns) const noexcept {
    constexpr double kUnknownNs = 1e12;
    if (at_ns_ == 0) {
      return active == 0 ? 0 : kUnknownNs + static_cast<double>(active);
    }
    return (at(now_ns) + 1) * static_cast<double>(active + 1);
  }

 private:
  static constexpr double kTauNs = 10e9;

  double decay(int64_t now_ns) const noexcept {
    return std::exp(-static_cast<double>(now_ns - at_ns_) / kTauNs);
  }

  double at(int64_t now_ns) const noexcept { return at_ns_ == 0 ? 0 : value_ * decay(now_ns); }

  double value_ = 0;
  int64_t at_ns_ = 0;
};

}  // namespace hangu::policy
