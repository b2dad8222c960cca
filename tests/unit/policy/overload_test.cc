#include "hangu/policy/overload.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <random>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace hangu::policy {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr config::OverloadSteps<uint32_t> kSteps{.shed_low = 80, .shed_normal = 90, .stop = 100};

class StepTrackerTest : public testing::Test {
 protected:
  OverloadStep at(int ms, uint32_t value) {
    return tracker_.update(value, kSteps, TimePoint(milliseconds(ms)), seconds(1));
  }

  StepTracker<uint32_t> tracker_;
};

TEST_F(StepTrackerTest, RisesAtOnceToWhereverTheMeasureIs) {
  EXPECT_EQ(at(0, 79), OverloadStep::kNone);
  EXPECT_EQ(at(1, 80), OverloadStep::kShedLow);
  EXPECT_EQ(at(2, 120), OverloadStep::kStop);
}

TEST_F(StepTrackerTest, StaysUntilTheMeasureWasATenthBelowForAWhile) {
  EXPECT_EQ(at(0, 85), OverloadStep::kShedLow);
  EXPECT_EQ(at(10, 73), OverloadStep::kShedLow);    // not a tenth below
  EXPECT_EQ(at(5000, 73), OverloadStep::kShedLow);  // ever so long
  EXPECT_EQ(at(5100, 71), OverloadStep::kShedLow);
  EXPECT_EQ(at(6000, 71), OverloadStep::kShedLow);
  EXPECT_EQ(at(6100, 71), OverloadStep::kNone);
}

TEST_F(StepTrackerTest, ARelapseBeginsTheWaitAnew) {
  EXPECT_EQ(at(0, 85), OverloadStep::kShedLow);
  EXPECT_EQ(at(100, 10), OverloadStep::kShedLow);
  EXPECT_EQ(at(1000, 75), OverloadStep::kShedLow);
  EXPECT_EQ(at(1200, 10), OverloadStep::kShedLow);
  EXPECT_EQ(at(2100, 10), OverloadStep::kShedLow);
  EXPECT_EQ(at(2200, 10), OverloadStep::kNone);
}

TEST_F(StepTrackerTest, FallsToTheHighestStepOfTheWait) {
  EXPECT_EQ(at(0, 100), OverloadStep::kStop);
  EXPECT_EQ(at(100, 50), OverloadStep::kStop);
  EXPECT_EQ(at(500, 85), OverloadStep::kStop);  // calls for shed_normal to be kept: 81 and more
  EXPECT_EQ(at(1100, 50), OverloadStep::kShedNormal);
  EXPECT_EQ(at(1200, 50), OverloadStep::kShedNormal);
  EXPECT_EQ(at(2200, 50), OverloadStep::kNone);
}

TEST(DelayWindow, OneLateSampleIsNoQueue) {
  DelayWindow window;
  TimePoint now{};
  for (int i = 0; i < 30; ++i) {
    now += milliseconds(10);
    const Duration delay = i == 15 ? milliseconds(300) : milliseconds(1);
    EXPECT_LE(window.add(delay, now, milliseconds(100)), milliseconds(1));
  }
}

TEST(DelayWindow, AStandingQueueShowsWithinTheWindow) {
  DelayWindow window;
  TimePoint now{};
  for (int i = 0; i < 20; ++i) {
    now += milliseconds(10);
    window.add(Duration::zero(), now, milliseconds(100));
  }
  int samples = 0;
  Duration seen{};
  while (seen < milliseconds(8)) {
    now += milliseconds(18);
    seen = window.add(milliseconds(8), now, milliseconds(100));
    ASSERT_LE(++samples, 6);
  }
}

TEST(DelayWindow, ThreeTurnsThatAreLongerThanTheWindowSuffice) {
  DelayWindow window;
  TimePoint now{};
  for (int i = 0; i < 20; ++i) {
    now += milliseconds(10);
    window.add(Duration::zero(), now, milliseconds(100));
  }
  for (int i = 0; i < 2; ++i) {
    now += milliseconds(400);
    window.add(milliseconds(390), now, milliseconds(100));
  }
  now += milliseconds(400);
  EXPECT_EQ(window.add(milliseconds(390), now, milliseconds(100)), milliseconds(390));
}

// --- at random --------------------------------------------------------------------------------

OverloadStep step_at(uint32_t value, uint32_t tenths) {
  OverloadStep step = OverloadStep::kNone;
  for (const auto& [threshold, called_for] :
       {std::pair{kSteps.shed_low, OverloadStep::kShedLow},
        std::pair{kSteps.shed_normal, OverloadStep::kShedNormal},
        std::pair{kSteps.stop, OverloadStep::kStop}}) {
    step = value * 10 >= threshold * tenths ? called_for : step;
  }
  return step;
}

/// What the header says, told by all that was measured since the step last changed.
class StepModel {
 public:
  OverloadStep update(uint32_t value, int64_t now_ms) {
    const OverloadStep wanted = step_at(value, 10);
    if (wanted > step_) {
      step_ = wanted;
      measured_.clear();
      return step_;
    }
    measured_.push_back({now_ms, step_at(value, 9)});
    // The stretch, up to now, in which it was always a tenth below.
    size_t first = measured_.size();
    OverloadStep highest = OverloadStep::kNone;
    while (first > 0 && measured_[first - 1].kept < step_) {
      highest = std::max(highest, measured_[--first].kept);
    }
    if (first < measured_.size() && now_ms - measured_[first].at_ms >= 1000) {
      step_ = highest;
      measured_.clear();
    }
    return step_;
  }

 private:
  struct Measured {
    int64_t at_ms;
    OverloadStep kept;
  };

  OverloadStep step_ = OverloadStep::kNone;
  std::vector<Measured> measured_;
};

TEST(StepTrackerRandomTest, DoesAsDocumented) {
  for (uint32_t seed = 1; seed <= 50; ++seed) {
    std::mt19937 random(seed);
    StepTracker<uint32_t> tracker;
    StepModel model;
    int64_t now_ms = 0;
    std::array<int, 4> seen{};
    uint32_t middle = 0;
    for (int i = 0; i < 4000; ++i) {
      now_ms += static_cast<int64_t>(random() % 300);
      middle = random() % 20 == 0 ? 60 + static_cast<uint32_t>(random() % 50) : middle;
      const uint32_t value = middle + static_cast<uint32_t>(random() % 8);
      const OverloadStep step =
          tracker.update(value, kSteps, TimePoint(milliseconds(now_ms)), seconds(1));
      ASSERT_EQ(step, model.update(value, now_ms)) << "seed " << seed << " sample " << i;
      ASSERT_GE(step, step_at(value, 10));
      ++seen[static_cast<size_t>(step)];
    }
    EXPECT_GT(*std::min_element(seen.begin(), seen.end()), 0) << "seed " << seed;
  }
}

TEST(DelayWindowRandomTest, IsTheMedianOfWhatLiesInTheWindow) {
  std::mt19937 random(1);
  DelayWindow window;
  std::vector<std::pair<int64_t, int64_t>> all;  // when, and the delay
  int64_t now = 0;
  for (int i = 0; i < 20'000; ++i) {
    now += static_cast<int64_t>(random() % (random() % 50 == 0 ? 500 : 30));
    all.emplace_back(now, static_cast<int64_t>(random() % 100));
    std::vector<int64_t> delays;
    for (size_t back = 1; back <= std::min<size_t>(all.size(), 10); ++back) {
      const auto& [at, delay] = all[all.size() - back];
      if (back <= 3 || now - at <= 100) {
        delays.push_back(delay);
      }
    }
    std::sort(delays.begin(), delays.end());
    const int64_t expected = delays.size() < 3 ? 0 : delays[delays.size() / 2];
    ASSERT_EQ(window.add(milliseconds(all.back().second), TimePoint(milliseconds(now)),
                         milliseconds(100)),
              milliseconds(expected))
        << "sample " << i;
  }
}

TEST(ShedFrom, WhoMattersMoreIsRefusedLater) {
  EXPECT_LT(shed_from(config::Priority::kLow), shed_from(config::Priority::kNormal));
  EXPECT_LT(shed_from(config::Priority::kNormal), shed_from(config::Priority::kHigh));
  EXPECT_GT(shed_from(config::Priority::kLow), OverloadStep::kNone);
}

}  // namespace
}  // namespace hangu::policy
