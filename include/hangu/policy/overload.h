// Overload: how a measure of load becomes a step to be taken, with hysteresis, and how the delay of
// a loop is told from how late its heartbeats are. Pure algorithms; the time is an argument.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "hangu/base/clock.h"
#include "hangu/config/config.h"

namespace hangu::policy {

/// In order: each includes those before.
enum class OverloadStep : uint8_t { kNone, kShedLow, kShedNormal, kStop };

constexpr std::string_view to_string(OverloadStep step) noexcept {
  switch (step) {
    case OverloadStep::kNone: return "none";
    case OverloadStep::kShedLow: return "shed_low";
    case OverloadStep::kShedNormal: return "shed_normal";
    case OverloadStep::kStop: return "stop";
  }
  return "none";
}

/// From which step on requests of that priority are refused.
constexpr OverloadStep shed_from(config::Priority priority) noexcept {
  switch (priority) {
    case config::Priority::kLow: return OverloadStep::kShedLow;
    case config::Priority::kNormal: return OverloadStep::kShedNormal;
    case config::Priority::kHigh: return OverloadStep::kStop;
  }
  return OverloadStep::kStop;
}

/// The step that one measure calls for. Up at once; down when the measure was a tenth below the
/// step's threshold for a whole `recovery`, to the highest step it called for meanwhile.
template <class T>
class StepTracker {
 public:
  OverloadStep step() const { return step_; }

  OverloadStep update(T value, const config::OverloadSteps<T>& steps, TimePoint now,
                      Duration recovery) noexcept {
    const OverloadStep wanted = highest(value, steps, 10);
    const OverloadStep kept = highest(value, steps, 9);
    if (wanted > step_ || kept >= step_) {
      step_ = std::max(step_, wanted);
      falling_ = false;
    } else if (!falling_) {
      falling_ = true;
      since_ = now;
      meanwhile_ = kept;
    } else {
      meanwhile_ = std::max(meanwhile_, kept);
      if (now - since_ >= recovery) {
        step_ = meanwhile_;
        falling_ = false;
      }
    }
    return step_;
  }

 private:
  /// The last step whose threshold, so many tenths of it, is reached.
  static OverloadStep highest(T value, const config::OverloadSteps<T>& steps, int tenths) noexcept {
    const auto reached = [&](T threshold) { return value * 10 >= threshold * tenths; };
    return reached(steps.stop)          ? OverloadStep::kStop
           : reached(steps.shed_normal) ? OverloadStep::kShedNormal
           : reached(steps.shed_low)    ? OverloadStep::kShedLow
                                        : OverloadStep::kNone;
  }

  OverloadStep step_ = OverloadStep::kNone;
  OverloadStep meanwhile_ = OverloadStep::kNone;
  TimePoint since_{};
  bool falling_ = false;
};

/// The delay of a queue by samples of it: their median over a window, so that neither one long turn
/// nor a burst that is over counts as a standing queue.
class DelayWindow {
 public:
  /// Samples that a window holds when none is late.
  static constexpr size_t kSamples = 10;

  /// Notes a sample and returns the median of those in the window, of three at least.
  Duration add(Duration delay, TimePoint now, Duration window) noexcept {
    samples_[next_++ % kSamples] = {now, delay};
    std::array<Duration, kSamples> delays;
    size_t count = 0;
    for (size_t back = 1; back <= std::min(next_, kSamples); ++back) {
      const Sample& sample = samples_[(next_ - back) % kSamples];
      if (back > kLeast && now - sample.at > window) {
        break;
      }
      delays[count++] = sample.delay;
    }
    if (count < kLeast) {
      return Duration::zero();
    }
    const auto middle = delays.begin() + static_cast<ptrdiff_t>(count / 2);
    std::nth_element(delays.begin(), middle, delays.begin() + static_cast<ptrdiff_t>(count));
    return *middle;
  }

 private:
  static constexpr size_t kLeast = 3;

  struct Sample {
    TimePoint at{};
    Duration delay{};
  };

  std::array<Sample, kSamples> samples_;
  size_t next_ = 0;
};

}  // namespace hangu::policy
