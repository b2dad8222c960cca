#include "hangu/policy/overload.h"

#include <chrono>

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

}  // namespace
}  // namespace hangu::policy
