#include "hangu/policy/circuit_breaker.h"

#include <atomic>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace hangu::policy {
namespace {

using State = CircuitBreaker::State;
using Cause = CircuitBreaker::Cause;
using Ticket = CircuitBreaker::Ticket;
using Outcome = CircuitBreaker::Outcome;

constexpr int64_t kSecond = 1'000'000'000;

class BreakerTest : public testing::Test {
 protected:
  CircuitBreaker::Admission admit() {
    change_.reset();
    return breaker_.admit(now_, change_);
  }

  void report(Ticket ticket, Outcome outcome, uint32_t shard = 0) {
    change_ = breaker_.report(options_, shard, ticket, outcome, now_);
  }

  void request(Outcome outcome, uint32_t shard = 0) { report(admit().ticket, outcome, shard); }

  State state() const { return breaker_.status(now_).state; }

  void open() {
    for (int i = 0; i < 3; ++i) {
      request(Outcome::kOwnFailure);
    }
    ASSERT_EQ(state(), State::kOpen);
  }

  config::CircuitBreaker options_;
  CircuitBreaker breaker_{2};
  int64_t now_ = 1000 * kSecond;
  std::optional<CircuitBreaker::Change> change_;
};

TEST_F(BreakerTest, OpensAboveTheRatioAndTheLeastCount) {
  for (int i = 0; i < 8; ++i) {
    request(Outcome::kSuccess, static_cast<uint32_t>(i % 2));
  }
  for (int i = 0; i < 12; ++i) {
    ASSERT_EQ(state(), State::kClosed) << i;
    request(Outcome::kFailure, static_cast<uint32_t>(i % 2));
  }
  EXPECT_EQ(state(), State::kClosed);  // 12 of 20 are 60 %, not more
  request(Outcome::kFailure);
  ASSERT_EQ(state(), State::kOpen);
  ASSERT_TRUE(change_.has_value());
  EXPECT_EQ(change_->cause, Cause::kFailureRatio);
  EXPECT_EQ(change_->requests, 21U);
  EXPECT_EQ(change_->failures, 13U);
  EXPECT_EQ(change_->open_ns, 30 * kSecond);
}

TEST_F(BreakerTest, FewRequestsOpenNothing) {
  for (int i = 0; i < 19; ++i) {
    request(Outcome::kFailure);
  }
  EXPECT_EQ(state(), State::kClosed);
  now_ += 11 * kSecond;  // the window is over
  for (int i = 0; i < 19; ++i) {
    request(Outcome::kFailure);
  }
  EXPECT_EQ(state(), State::kClosed);
  request(Outcome::kFailure);
  EXPECT_EQ(state(), State::kOpen);
}

TEST_F(BreakerTest, ThreeFailuresOfItsOwnInARowOpenIt) {
  request(Outcome::kOwnFailure);
  request(Outcome::kOwnFailure);
  request(Outcome::kFailure);  // an answer, at least
  request(Outcome::kOwnFailure);
  request(Outcome::kUnknown);
  request(Outcome::kOwnFailure);
  EXPECT_EQ(state(), State::kClosed);
  request(Outcome::kOwnFailure);
  EXPECT_EQ(state(), State::kOpen);
  EXPECT_EQ(change_->cause, Cause::kOwnFailures);
}

TEST_F(BreakerTest, HalfOpenAdmitsOneAtATimeAndClosesAfterFive) {
  open();
  EXPECT_EQ(admit().ticket, Ticket::kNone);
  EXPECT_EQ(admit().retry_in_ns / kSecond, 30);
  now_ += 31 * kSecond;
  for (uint32_t i = 0; i < 5; ++i) {
    ASSERT_EQ(breaker_.status(now_).successes, i);
    const CircuitBreaker::Admission probe = admit();
    ASSERT_EQ(probe.ticket, Ticket::kProbe);
    EXPECT_EQ(change_.has_value(), i == 0);
    EXPECT_EQ(admit().ticket, Ticket::kNone);
    report(probe.ticket, Outcome::kSuccess);
  }
  EXPECT_EQ(state(), State::kClosed);
  ASSERT_TRUE(change_.has_value());
  request(Outcome::kOwnFailure);  // what was before is forgotten
  request(Outcome::kOwnFailure);
  EXPECT_EQ(state(), State::kClosed);
}

TEST_F(BreakerTest, AProbeThatNobodyWaitsForCountsNothing) {
  open();
  now_ += 31 * kSecond;
  report(admit().ticket, Outcome::kUnknown);
  EXPECT_EQ(state(), State::kHalfOpen);
  EXPECT_EQ(admit().ticket, Ticket::kProbe);
}

TEST_F(BreakerTest, OneFailureOpensItAgainForLonger) {
  options_.open_time_max = std::chrono::seconds(100);
  open();
  for (const int64_t seconds : {60, 100, 100}) {
    now_ += 101 * kSecond;
    report(admit().ticket, Outcome::kSuccess);
    report(admit().ticket, Outcome::kFailure);
    ASSERT_EQ(state(), State::kOpen);
    EXPECT_EQ(change_->cause, Cause::kProbeFailed);
    EXPECT_EQ(change_->open_ns, seconds * kSecond);
  }
}

TEST_F(BreakerTest, LateAnswersDoNotMoveIt) {
  const Ticket early = admit().ticket;
  open();
  report(early, Outcome::kSuccess);
  EXPECT_EQ(state(), State::kOpen);
  now_ += 31 * kSecond;
  const Ticket probe = admit().ticket;
  report(early, Outcome::kOwnFailure);
  EXPECT_EQ(state(), State::kHalfOpen);
  report(probe, Outcome::kSuccess);
  EXPECT_EQ(breaker_.status(now_).successes, 1U);
}

TEST_F(BreakerTest, OneThreadGetsTheProbe) {
  open();
  now_ += 31 * kSecond;
  std::atomic<int> probes{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      std::optional<CircuitBreaker::Change> change;
      probes += breaker_.admit(now_, change).ticket == Ticket::kProbe ? 1 : 0;
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(probes, 1);
}

TEST_F(BreakerTest, OpensWhenTooManyAnswersAreSlow) {
  for (int i = 0; i < 10; ++i) {
    request(Outcome::kSuccess);
  }
  for (int i = 0; i < 10; ++i) {
    request(Outcome::kSlow);
  }
  EXPECT_EQ(state(), State::kClosed);  // half of them are not more than half
  request(Outcome::kSlow);
  ASSERT_EQ(state(), State::kOpen);
  EXPECT_EQ(change_->cause, Cause::kSlow);
  EXPECT_EQ(change_->failures, 11U);
}

TEST_F(BreakerTest, SlowAnswersAreNoFailuresButFailAProbe) {
  options_.slow_percent = 100;
  for (int i = 0; i < 100; ++i) {
    request(Outcome::kSlow);
  }
  EXPECT_EQ(state(), State::kClosed);
  open();
  now_ += options_.open_time.count() + kSecond;
  request(Outcome::kSlow);
  EXPECT_EQ(state(), State::kOpen);
  EXPECT_EQ(change_->cause, Cause::kProbeFailed);
}

TEST_F(BreakerTest, JudgesAnAnswerByStatusAndTime) {
  using std::chrono::seconds;
  EXPECT_EQ(CircuitBreaker::outcome_of(options_, 200, seconds(100)), Outcome::kSuccess);
  EXPECT_EQ(CircuitBreaker::outcome_of(options_, 503, seconds(0)), Outcome::kFailure);
  options_.slow_over = seconds(1);
  EXPECT_EQ(CircuitBreaker::outcome_of(options_, 200, seconds(1)), Outcome::kSuccess);
  EXPECT_EQ(CircuitBreaker::outcome_of(options_, 200, seconds(2)), Outcome::kSlow);
  EXPECT_EQ(CircuitBreaker::outcome_of(options_, 503, seconds(2)), Outcome::kFailure);
}

}  // namespace
}  // namespace hangu::policy
