#include "hangu/control/drain.h"

#include <gtest/gtest.h>

namespace hangu::control {
namespace {

using std::chrono::seconds;

constexpr DrainTimes kTimes{seconds(5), seconds(60)};

TEST(DrainTest, TerminateWaitsForTheBalancerThenDrainsThenStops) {
  DrainMachine machine;
  DrainStep step = machine.on_terminate(kTimes);
  EXPECT_EQ(step.action, DrainAction::kWaitForBalancer);
  EXPECT_EQ(step.timer, seconds(5));
  EXPECT_EQ(machine.state(), DrainState::kLbDelay);

  step = machine.on_timer();
  EXPECT_EQ(step.action, DrainAction::kBeginDrain);
  EXPECT_EQ(step.timer, seconds(60));

  EXPECT_EQ(machine.on_drained().action, DrainAction::kStop);
  EXPECT_EQ(machine.state(), DrainState::kStopped);
  EXPECT_TRUE(machine.complete());
}

TEST(DrainTest, NoBalancerDelayDrainsAtOnce) {
  DrainMachine machine;
  const DrainStep step = machine.on_terminate({seconds(0), seconds(7)});
  EXPECT_EQ(step.action, DrainAction::kBeginDrain);
  EXPECT_EQ(step.timer, seconds(7));
}

TEST(DrainTest, TimeoutStopsWhatHasNotDrained) {
  DrainMachine machine;
  machine.on_terminate({seconds(0), seconds(7)});
  EXPECT_EQ(machine.on_timer().action, DrainAction::kStop);
  EXPECT_FALSE(machine.complete());
}

TEST(DrainTest, SecondTerminateCutsTheDelayAndThirdTheDrain) {
  DrainMachine machine;
  machine.on_terminate(kTimes);
  EXPECT_EQ(machine.on_terminate(kTimes).action, DrainAction::kBeginDrain);
  EXPECT_EQ(machine.on_terminate(kTimes).action, DrainAction::kStop);
  EXPECT_EQ(machine.on_terminate(kTimes).action, DrainAction::kNone);
}

TEST(DrainTest, FastStopStopsFromEveryState) {
  for (int terminations = 0; terminations < 3; ++terminations) {
    DrainMachine machine;
    for (int i = 0; i < terminations; ++i) {
      machine.on_terminate(kTimes);
    }
    EXPECT_EQ(machine.on_fast_stop().action, DrainAction::kStop) << terminations;
    EXPECT_EQ(machine.on_fast_stop().action, DrainAction::kNone) << terminations;
  }
}

TEST(DrainTest, LateEventsChangeNothing) {
  DrainMachine machine;
  EXPECT_EQ(machine.on_timer().action, DrainAction::kNone);
  EXPECT_EQ(machine.on_drained().action, DrainAction::kNone);
  machine.on_fast_stop();
  EXPECT_EQ(machine.on_timer().action, DrainAction::kNone);
  EXPECT_EQ(machine.on_drained().action, DrainAction::kNone);
  EXPECT_FALSE(machine.complete());
}

}  // namespace
}  // namespace hangu::control
