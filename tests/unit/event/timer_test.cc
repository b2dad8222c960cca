#include "hangu/event/timer.h"

#include <functional>
#include <memory>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace hangu::event {
namespace {

using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

class TimerTest : public testing::Test {
 protected:
  struct Probe final : Timer {
    explicit Probe(TimerTest& owner)
        : test(owner) {}

    void on_timer() noexcept override {
      ++fired;
      fired_at = test.now_;
      if (then) {
        then();
      }
    }

    TimerTest& test;
    int fired = 0;
    TimePoint fired_at{};
    std::function<void()> then;
  };

  void advance(Duration time) {
    now_ += time;
    timers_.advance(now_);
  }

  /// Goes from event to event, as the loop does, until `end`.
  int run_until(TimePoint end) {
    int steps = 0;
    while (true) {
      const Duration wait = timers_.until_next(now_);
      if (wait < Duration::zero() || now_ + wait > end) {
        now_ = end;
        timers_.advance(now_);
        return steps;
      }
      advance(wait);
      ++steps;
    }
  }

  TimePoint now_{seconds(1000)};
  Timers timers_{now_};
};

TEST_F(TimerTest, FiresOnceAndNotEarly) {
  Probe probe(*this);
  probe.arm(timers_, milliseconds(5));
  EXPECT_TRUE(probe.armed());
  advance(microseconds(4999));
  EXPECT_EQ(probe.fired, 0);
  advance(microseconds(1001));
  EXPECT_EQ(probe.fired, 1);
  EXPECT_FALSE(probe.armed());
  advance(seconds(10));
  EXPECT_EQ(probe.fired, 1);
}

TEST_F(TimerTest, NeverFiresEarlyWithinATick) {
  now_ += microseconds(900);  // the tick has nearly gone by
  timers_.set_now(now_);
  Probe probe(*this);
  const TimePoint armed_at = now_;
  probe.arm(timers_, milliseconds(1));
  run_until(now_ + seconds(1));
  EXPECT_EQ(probe.fired, 1);
  EXPECT_GE(probe.fired_at - armed_at, milliseconds(1));
  EXPECT_LE(probe.fired_at - armed_at, milliseconds(2));
}

TEST_F(TimerTest, ZeroAndNegativeDelaysFireInTheNextTick) {
  Probe zero(*this);
  Probe negative(*this);
  zero.arm(timers_, Duration::zero());
  negative.arm(timers_, Duration(-5));
  EXPECT_EQ(zero.fired, 0);
  advance(milliseconds(1));
  EXPECT_EQ(zero.fired, 1);
  EXPECT_EQ(negative.fired, 1);
}

TEST_F(TimerTest, DisarmedTimersDoNotFire) {
  Probe probe(*this);
  probe.arm(timers_, milliseconds(5));
  probe.disarm();
  EXPECT_FALSE(probe.armed());
  advance(seconds(1));
  EXPECT_EQ(probe.fired, 0);
  EXPECT_LT(timers_.until_next(now_), Duration::zero());
}

TEST_F(TimerTest, DestroyedTimersDoNotFire) {
  auto probe = std::make_unique<Probe>(*this);
  probe->arm(timers_, milliseconds(5));
  probe.reset();
  advance(seconds(1));
}

TEST_F(TimerTest, MovingLaterCostsNoMoreThanOneLook) {
  Probe probe(*this);
  for (int i = 0; i < 1000; ++i) {
    probe.arm(timers_, seconds(10));
    advance(milliseconds(1));
  }
  const TimePoint due = now_ - milliseconds(1) + seconds(10);
  const int steps = run_until(now_ + seconds(20));
  EXPECT_EQ(probe.fired, 1);
  EXPECT_GE(probe.fired_at, due);
  EXPECT_LE(probe.fired_at, due + milliseconds(2));
  EXPECT_LE(steps, 8);
}

TEST_F(TimerTest, MovingEarlierWorks) {
  Probe probe(*this);
  probe.arm(timers_, hours(1));
  probe.arm(timers_, milliseconds(3));
  advance(milliseconds(4));
  EXPECT_EQ(probe.fired, 1);
}

TEST_F(TimerTest, VeryLongDelaysAreKept) {
  Probe day(*this);
  Probe forever(*this);
  day.arm(timers_, hours(24));
  forever.arm(timers_, Duration::max());
  run_until(now_ + hours(24) - milliseconds(1));
  EXPECT_EQ(day.fired, 0);
  run_until(now_ + milliseconds(3));
  EXPECT_EQ(day.fired, 1);
  EXPECT_EQ(forever.fired, 0);
  EXPECT_TRUE(forever.armed());
}

TEST_F(TimerTest, ALongSleepFiresAllInOrder) {
  std::vector<int> order;
  std::vector<std::unique_ptr<Probe>> probes;
  for (const int delay : {700, 3, 64, 65, 5000, 4096, 63}) {
    probes.push_back(std::make_unique<Probe>(*this));
    probes.back()->then = [&order, delay] { order.push_back(delay); };
    probes.back()->arm(timers_, milliseconds(delay));
  }
  advance(seconds(60));
  EXPECT_EQ(order, (std::vector<int>{3, 63, 64, 65, 700, 4096, 5000}));
}

TEST_F(TimerTest, CallbacksMayArmDisarmAndDestroy) {
  Probe first(*this);
  auto second = std::make_unique<Probe>(*this);
  Probe third(*this);
  first.arm(timers_, milliseconds(5));
  second->arm(timers_, milliseconds(5));
  third.arm(timers_, milliseconds(5));
  first.then = [&] {
    second.reset();
    third.disarm();
    if (first.fired < 3) {
      first.arm(timers_, milliseconds(5));
    }
  };
  run_until(now_ + seconds(1));
  EXPECT_EQ(first.fired, 3);
  EXPECT_EQ(third.fired, 0);
}

TEST_F(TimerTest, TheWaitReachesTheDeadlineInFewSteps) {
  Probe probe(*this);
  probe.arm(timers_, seconds(30));
  EXPECT_LE(run_until(now_ + seconds(31)), 4);
  EXPECT_EQ(probe.fired, 1);
}

TEST_F(TimerTest, RandomUseFiresEachOnTime) {
  std::mt19937_64 random(11);  // NOLINT: the same sequence each time
  constexpr int kProbes = 500;
  std::vector<std::unique_ptr<Probe>> probes;
  std::vector<TimePoint> due(kProbes);
  for (int i = 0; i < kProbes; ++i) {
    probes.push_back(std::make_unique<Probe>(*this));
  }
  for (int round = 0; round < 20'000; ++round) {
    const size_t i = random() % kProbes;
    Probe& probe = *probes[i];
    if (random() % 8 == 0) {
      probe.disarm();
    } else {
      const uint64_t range = uint64_t{1} << (random() % 24);
      const auto delay = Duration(milliseconds(random() % range));
      probe.arm(timers_, delay);
      probe.fired = 0;
      due[i] = now_ + delay;
    }
    now_ += microseconds(random() % 5000);
    timers_.set_now(now_);
    timers_.advance(now_);
    for (size_t j = 0; j < kProbes && round % 100 == 0; ++j) {
      if (probes[j]->fired != 0) {
        ASSERT_GE(probes[j]->fired_at, due[j]);
      } else if (probes[j]->armed()) {
        ASSERT_GT(due[j] + milliseconds(2), now_);
      }
    }
  }
}

}  // namespace
}  // namespace hangu::event
