#include "hangu/policy/circuit_breaker.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <deque>
#include <map>
#include <random>
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
constexpr int64_t kMillisecond = 1'000'000;

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

// --- at random --------------------------------------------------------------------------------

/// What the documentation says of a breaker, told by a list of all that happened. It leaves open
/// only how exactly the window ends, a tenth of it; there the breaker decides, and the model looks
/// whether it might.
class Model {
 public:
  struct Verdict {
    Cause cause = Cause::kNone;  // kNone: it stays closed
    uint32_t requests = 0;
    uint32_t failures = 0;
    bool operator==(const Verdict&) const = default;
  };

  explicit Model(const config::CircuitBreaker& options)
      : options_(options),
        part_(options.window.count() / 10) {}

  State state() const { return state_; }

  uint32_t successes() const { return successes_; }

  int64_t open_until() const { return open_until_; }

  Ticket admit(int64_t now) {
    if (state_ == State::kOpen && now >= open_until_) {
      state_ = State::kHalfOpen;
      successes_ = 0;
    }
    if (state_ == State::kClosed) {
      return Ticket::kCounted;
    }
    if (state_ == State::kOpen || probing_) {
      return Ticket::kNone;
    }
    probing_ = true;
    return Ticket::kProbe;
  }

  /// What may become of it after a counted request has ended so.
  std::vector<Verdict> after(Outcome outcome, int64_t now) {
    if (outcome == Outcome::kUnknown) {
      return {Verdict{}};
    }
    ended_.push_back({now, outcome});
    own_in_a_row_ = outcome == Outcome::kOwnFailure ? own_in_a_row_ + 1 : 0;
    if (state_ != State::kClosed || outcome == Outcome::kSuccess) {
      return {Verdict{}};
    }
    if (options_.own_failures != 0 && outcome == Outcome::kOwnFailure &&
        own_in_a_row_ >= options_.own_failures) {
      return {{.cause = Cause::kOwnFailures}};
    }
    return by_ratio(now);
  }

  void close(int64_t now) {
    state_ = State::kClosed;
    closed_at_ = now;
    own_in_a_row_ = 0;
    openings_ = 0;
  }

  /// Returns for how long.
  int64_t open(int64_t now) {
    int64_t time = options_.open_time.count() << openings_;
    time = std::min(time, std::max(options_.open_time_max, options_.open_time).count());
    openings_ = std::min(openings_ + 1, 10);
    state_ = State::kOpen;
    open_until_ = now + time;
    return time;
  }

  void end_probe(Outcome outcome, int64_t now) {
    probing_ = false;
    if (outcome == Outcome::kSuccess) {
      if (++successes_ == options_.successes) {
        close(now);
      }
    } else if (outcome != Outcome::kUnknown) {
      open(now);
    }
  }

 private:
  struct Ended {
    int64_t at;
    Outcome outcome;
  };

  /// For each beginning of the window that is allowed: what lies in it.
  std::vector<Verdict> by_ratio(int64_t now) {
    const int64_t after = std::max(now - 10 * part_, closed_at_);
    const int64_t until = std::max(now - 9 * part_, closed_at_ + part_);
    while (!ended_.empty() && ended_.front().at <= after) {
      ended_.pop_front();
    }
    std::vector<Verdict> allowed;
    for (size_t first = 0; first <= ended_.size(); ++first) {
      const int64_t previous = first == 0 ? after : ended_[first - 1].at;
      const int64_t next = first == ended_.size() ? INT64_MAX : ended_[first].at;
      if (previous < std::min(next, until)) {
        allowed.push_back(judge(first));
      }
    }
    return allowed;
  }

  Verdict judge(size_t first) const {
    const auto count = [&](auto... wanted) {
      return static_cast<uint32_t>(
          std::count_if(ended_.begin() + static_cast<ptrdiff_t>(first), ended_.end(),
                        [&](const Ended& each) { return ((each.outcome == wanted) || ...); }));
    };
    const auto requests = static_cast<uint32_t>(ended_.size() - first);
    const uint32_t failures = count(Outcome::kFailure, Outcome::kOwnFailure);
    const uint32_t slow = count(Outcome::kSlow);
    if (requests < options_.requests_min) {
      return {};
    }
    if (failures * 100 > options_.failure_percent * requests) {
      return {.cause = Cause::kFailureRatio, .requests = requests, .failures = failures};
    }
    if (slow * 100 > options_.slow_percent * requests) {
      return {.cause = Cause::kSlow, .requests = requests, .failures = slow};
    }
    return {};
  }

  config::CircuitBreaker options_;
  int64_t part_;
  State state_ = State::kClosed;
  bool probing_ = false;
  uint32_t successes_ = 0;
  uint32_t own_in_a_row_ = 0;
  int openings_ = 0;
  int64_t open_until_ = 0;
  int64_t closed_at_ = 0;
  std::deque<Ended> ended_;
};

/// A breaker and its model, which go through the same at random.
class RandomBreaker {
 public:
  explicit RandomBreaker(uint64_t seed)
      : random_(seed) {}

  void run(int steps) {
    const int64_t pace_ms = 1 + below(200);
    for (int i = 0; i < steps; ++i) {
      SCOPED_TRACE(testing::Message() << "step " << i);
      const bool pause = below(200) == 0;
      now_ += kMillisecond * (pause ? below(20'000) : below(pace_ms));
      if (below(100) == 0) {
        success_percent_ = below(101);
      }
      if (under_way_.empty() || (under_way_.size() < 8 && below(2) == 0)) {
        ASSERT_NO_FATAL_FAILURE(begin_request());
      } else {
        ASSERT_NO_FATAL_FAILURE(end_request());
      }
      ASSERT_NO_FATAL_FAILURE(compare());
    }
  }

  /// How often it opened for that.
  int openings(Cause cause) const { return openings_[static_cast<size_t>(cause)]; }

 private:
  int64_t below(int64_t limit) {
    return static_cast<int64_t>(random_() % static_cast<uint64_t>(limit));
  }

  config::CircuitBreaker random_options() {
    config::CircuitBreaker options;
    options.failure_percent = static_cast<uint32_t>(10 + below(90));
    options.slow_percent = static_cast<uint32_t>(10 + below(90));
    options.requests_min = static_cast<uint32_t>(1 + below(20));
    options.own_failures = static_cast<uint32_t>(below(5));
    options.successes = static_cast<uint32_t>(1 + below(4));
    options.window = std::chrono::milliseconds(10 * (1 + below(1000)));
    options.open_time = std::chrono::milliseconds(1 + below(3000));
    options.open_time_max = options.open_time * (1 + below(9));
    return options;
  }

  Outcome random_outcome() {
    constexpr Outcome kOutcomes[] = {Outcome::kSlow, Outcome::kFailure, Outcome::kOwnFailure,
                                     Outcome::kUnknown};
    return below(100) < success_percent_ ? Outcome::kSuccess : kOutcomes[below(4)];
  }

  void begin_request() {
    std::optional<CircuitBreaker::Change> change;
    const State before = model_.state();
    const CircuitBreaker::Admission admission = breaker_.admit(now_, change);
    ASSERT_EQ(admission.ticket, model_.admit(now_));
    ASSERT_EQ(change.has_value(), model_.state() != before);
    if (admission.ticket != Ticket::kNone) {
      under_way_.push_back(admission.ticket);
    } else if (model_.state() == State::kOpen) {
      ASSERT_EQ(admission.retry_in_ns, model_.open_until() - now_);
    }
  }

  void end_request() {
    const auto which = below(static_cast<int64_t>(under_way_.size()));
    const Ticket ticket = under_way_[static_cast<size_t>(which)];
    under_way_.erase(under_way_.begin() + which);
    const Outcome outcome = random_outcome();
    const State before = model_.state();
    const auto shard = static_cast<uint32_t>(below(kShards));
    const auto change = breaker_.report(options_, shard, ticket, outcome, now_);
    if (ticket == Ticket::kProbe) {
      model_.end_probe(outcome, now_);
      ASSERT_EQ(change.has_value(), model_.state() != before);
      openings_[static_cast<size_t>(Cause::kProbeFailed)] += model_.state() == State::kOpen ? 1 : 0;
      return;
    }
    const std::vector<Model::Verdict> allowed = model_.after(outcome, now_);
    const Model::Verdict verdict =
        change ? Model::Verdict{change->cause, change->requests, change->failures}
               : Model::Verdict{};
    ASSERT_NE(std::find(allowed.begin(), allowed.end(), verdict), allowed.end())
        << to_string(verdict.cause) << ' ' << verdict.failures << " of " << verdict.requests;
    if (change) {
      ++openings_[static_cast<size_t>(change->cause)];
      ASSERT_EQ(change->open_ns, model_.open(now_));
    }
  }

  void compare() {
    const CircuitBreaker::Status status = breaker_.status(now_);
    ASSERT_EQ(status.state, model_.state());
    if (status.state == State::kHalfOpen) {
      ASSERT_EQ(status.successes, model_.successes());
    }
    if (status.state == State::kOpen) {
      ASSERT_EQ(status.next_probe_ns, std::max<int64_t>(model_.open_until() - now_, 0));
    }
    ASSERT_LE(std::count(under_way_.begin(), under_way_.end(), Ticket::kProbe), 1);
  }

  static constexpr uint32_t kShards = 3;

  std::mt19937_64 random_;
  config::CircuitBreaker options_ = random_options();
  CircuitBreaker breaker_{kShards};
  Model model_{options_};
  int64_t now_ = 1000 * kSecond;
  int64_t success_percent_ = 50;
  std::vector<Ticket> under_way_;
  std::array<int, 5> openings_{};  // by cause
};

TEST(RandomBreakerTest, DoesAsDocumented) {
  constexpr Cause kCauses[] = {Cause::kFailureRatio, Cause::kOwnFailures, Cause::kSlow,
                               Cause::kProbeFailed};
  std::map<Cause, int> openings;
  for (uint64_t seed = 1; seed <= 100; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    RandomBreaker both(seed);
    ASSERT_NO_FATAL_FAILURE(both.run(3000));
    for (const Cause cause : kCauses) {
      openings[cause] += both.openings(cause);
    }
  }
  for (const Cause cause : kCauses) {
    EXPECT_GT(openings[cause], 50) << to_string(cause);
  }
}

/// Of many threads at most one has the probe, and each change of state is told to one of them.
TEST(BreakerThreadsTest, OneProbeAtATimeAndEachChangeIsToldOnce) {
  constexpr uint32_t kThreads = 4;
  config::CircuitBreaker options;
  options.open_time = options.open_time_max = std::chrono::milliseconds(1);
  options.successes = 2;
  CircuitBreaker breaker(kThreads);
  std::atomic<int64_t> clock{kSecond};
  std::atomic<int> probes_out{0};
  std::atomic<int> too_many{0};
  std::atomic<int> opened{0};
  std::atomic<int> reopened{0};
  std::atomic<int> half_opened{0};
  std::atomic<int> closed{0};
  const auto note = [&](const std::optional<CircuitBreaker::Change>& change) {
    if (change && change->state == State::kOpen) {
      ++(change->cause == Cause::kProbeFailed ? reopened : opened);
    } else if (change) {
      ++(change->state == State::kClosed ? closed : half_opened);
    }
  };
  const auto work = [&](uint32_t shard) {
    std::mt19937 random(shard);
    for (int i = 0; i < 20'000; ++i) {
      std::optional<CircuitBreaker::Change> change;
      const Ticket ticket = breaker.admit(clock.fetch_add(kMillisecond / 10), change).ticket;
      note(change);
      if (ticket == Ticket::kNone) {
        continue;
      }
      if (ticket == Ticket::kProbe) {
        too_many += probes_out.fetch_add(1) == 0 ? 0 : 1;
        std::this_thread::yield();
        probes_out.fetch_sub(1);
      }
      const Outcome outcome = random() % 3 == 0 ? Outcome::kOwnFailure : Outcome::kSuccess;
      note(breaker.report(options, shard, ticket, outcome, clock.load()));
    }
  };
  std::vector<std::thread> threads;
  for (uint32_t shard = 0; shard < kThreads; ++shard) {
    threads.emplace_back(work, shard);
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(too_many, 0);
  EXPECT_GT(closed, 0);
  EXPECT_GT(reopened, 0);
  const State last = breaker.status(clock.load()).state;
  EXPECT_EQ(opened, closed + (last == State::kClosed ? 0 : 1));
  EXPECT_EQ(half_opened, opened + reopened - (last == State::kOpen ? 1 : 0));
}

}  // namespace
}  // namespace hangu::policy
