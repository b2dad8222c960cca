#include "hangu/policy/release.h"

#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace hangu::policy {
namespace {

using std::chrono::milliseconds;
using Stage = ReleaseStage;
using Decision = ReleaseDecision;

ReleaseNumbers requests(uint64_t count, uint64_t errors) {
  ReleaseNumbers numbers;
  numbers.requests = count;
  numbers.errors = errors;
  numbers.latency[stats::Histogram::bucket_of(20'000)] = count;
  return numbers;
}

const ReleaseEvidence kNothing{};
const ReleaseEvidence kGood{requests(500, 0), requests(5000, 0)};
const ReleaseEvidence kBad{requests(500, 250), requests(5000, 0)};

config::Ramp ramp_of() {
  config::Ramp ramp;
  ramp.enabled = true;
  ramp.from.millionths = 10'000;
  ramp.step.millionths = 330'000;
  ramp.every = milliseconds(1000);
  return ramp;
}

config::ReleaseGuard guard_of(config::GuardAction action = config::GuardAction::kRollback) {
  config::ReleaseGuard guard;
  guard.enabled = true;
  guard.action = action;
  return guard;
}

class ReleaseTest : public testing::Test {
 protected:
  Release begin(const config::ReleaseGuard& guard) {
    return {ramp_of(), guard, Release::begin(ramp_of(), now_)};
  }

  /// What it does until `at`, looked at ten times a step.
  std::vector<Decision> run(Release& release, const ReleaseEvidence& evidence, int64_t until) {
    std::vector<Decision> made;
    for (; now_ < until; now_ += 100) {
      if (const auto change = release.advance(evidence, now_)) {
        made.push_back(change->decision);
      }
    }
    return made;
  }

  int64_t now_ = 1'000'000;
};

TEST_F(ReleaseTest, GrowsByStepsAndIsComplete) {
  Release release = begin({});
  EXPECT_EQ(release.state().share, 100U);
  std::vector<uint32_t> shares;
  std::vector<int64_t> times;
  for (; release.state().stage != Stage::kComplete; now_ += 100) {
    if (release.advance(kNothing, now_)) {
      shares.push_back(release.state().share);
      times.push_back(now_ - 1'000'000);
    }
  }
  EXPECT_EQ(shares, (std::vector<uint32_t>{3400, 6700, 10'000, 10'000}));
  EXPECT_EQ(times, (std::vector<int64_t>{1000, 2000, 3000, 4000}));
  EXPECT_EQ(release.state().cause, "complete");
  EXPECT_TRUE(run(release, kBad, now_ + 10'000).empty()) << "nothing judges it any more";
}

TEST_F(ReleaseTest, EndsWhereItIsToldTo) {
  config::Ramp ramp = ramp_of();
  ramp.until.millionths = 500'000;
  Release release(ramp, {}, Release::begin(ramp, now_));
  run(release, kNothing, now_ + 9000);
  EXPECT_EQ(release.state().share, 5000U);
  EXPECT_EQ(release.state().stage, Stage::kComplete);
}

TEST_F(ReleaseTest, IsTakenBackAtOnce) {
  Release release = begin(guard_of());
  EXPECT_EQ(run(release, kGood, now_ + 1500), (std::vector{Decision::kStep}));
  const auto change = release.advance(kBad, now_);
  ASSERT_TRUE(change);
  EXPECT_EQ(change->decision, Decision::kRollback);
  EXPECT_EQ(change->share_before, 3400U);
  EXPECT_EQ(release.state().share, 0U);
  EXPECT_EQ(release.state().stage, Stage::kRolledBack);
  EXPECT_EQ(release.state().cause, "error_ratio");
  EXPECT_EQ(release.state().actor, "guard");
  EXPECT_EQ(release.state().numbers,
            "errors 50.00% of 500 requests; the others 0.00%, allowed 1.00%");
  EXPECT_TRUE(run(release, kGood, now_ + 20'000).empty());
}

TEST_F(ReleaseTest, IsHeldUntilAnOperatorDecides) {
  Release release = begin(guard_of(config::GuardAction::kHold));
  run(release, kGood, now_ + 1500);
  EXPECT_EQ(run(release, kBad, now_ + 500), (std::vector{Decision::kHold}));
  EXPECT_EQ(release.state().share, 3400U);
  EXPECT_TRUE(run(release, kGood, now_ + 20'000).empty());
  ASSERT_TRUE(release.obey(ReleaseOrder::kResume, "alice", now_));
  EXPECT_EQ(release.state().actor, "alice");
  EXPECT_TRUE(run(release, kGood, now_ + 900).empty()) << "a whole step's time again";
  EXPECT_EQ(run(release, kGood, now_ + 500), (std::vector{Decision::kStep}));
}

TEST_F(ReleaseTest, TakesNoStepWithoutEvidence) {
  Release release = begin(guard_of());
  EXPECT_EQ(run(release, kNothing, now_ + 5000), (std::vector{Decision::kWait}));
  EXPECT_EQ(release.state().stage, Stage::kWaiting);
  EXPECT_EQ(release.state().share, 100U);
  EXPECT_EQ(release.state().numbers, "0 of 200 requests");
  const auto change = release.advance(kGood, now_);
  ASSERT_TRUE(change);
  EXPECT_EQ(change->decision, Decision::kStep);
  EXPECT_EQ(release.state().stage, Stage::kRamping);
}

TEST_F(ReleaseTest, OnlyTellsInShadow) {
  config::ReleaseGuard guard = guard_of();
  guard.mode = config::Mode::kShadow;
  Release release = begin(guard);
  EXPECT_EQ(run(release, kBad, now_ + 2200),
            (std::vector{Decision::kShadow, Decision::kStep, Decision::kShadow, Decision::kStep,
                         Decision::kShadow}));
  guard.mode = config::Mode::kOff;
  Release off = begin(guard);
  EXPECT_EQ(run(off, kBad, now_ + 1100), (std::vector{Decision::kStep}));
}

TEST_F(ReleaseTest, ObeysOperators) {
  Release release = begin(guard_of());
  ASSERT_TRUE(release.obey(ReleaseOrder::kPause, "alice", now_));
  EXPECT_TRUE(run(release, kGood, now_ + 5000).empty());
  EXPECT_EQ(release.obey(ReleaseOrder::kPause, "alice", now_).error(),
            "the release is paused: there is nothing to pause");
  const auto promoted = release.obey(ReleaseOrder::kPromote, "alice", now_);
  ASSERT_TRUE(promoted);
  EXPECT_EQ(promoted->share_before, 100U);
  EXPECT_EQ(promoted->stage_before, Stage::kPaused);
  EXPECT_EQ(release.state().share, 10'000U);
  EXPECT_EQ(release.state().stage, Stage::kComplete);
  EXPECT_FALSE(release.obey(ReleaseOrder::kPromote, "alice", now_));
  EXPECT_FALSE(release.obey(ReleaseOrder::kPause, "alice", now_));
  EXPECT_FALSE(release.obey(ReleaseOrder::kResume, "alice", now_));
  ASSERT_TRUE(release.obey(ReleaseOrder::kAbort, "alice", now_));
  EXPECT_EQ(release.state().share, 0U);
  EXPECT_FALSE(release.obey(ReleaseOrder::kAbort, "alice", now_));
  ASSERT_TRUE(release.obey(ReleaseOrder::kResume, "alice", now_)) << "from the beginning";
  EXPECT_EQ(release.state().share, 100U);
  EXPECT_EQ(release.state().stage, Stage::kRamping);
}

/// What fails is taken back, even if nobody wants it to grow.
TEST_F(ReleaseTest, IsGuardedWhilePaused) {
  Release release = begin(guard_of());
  ASSERT_TRUE(release.obey(ReleaseOrder::kPause, "alice", now_));
  EXPECT_EQ(run(release, kBad, now_ + 500), (std::vector{Decision::kRollback}));
}

TEST_F(ReleaseTest, OutlivesAClockThatIsSetBack) {
  Release release = begin({});
  now_ -= 3'600'000;
  EXPECT_EQ(run(release, kNothing, now_ + 1500), (std::vector{Decision::kStep}));
}

/// Whatever happens: the share never grows by more than a step or beyond its end, never in less
/// than a step's time unless an operator wants it, and bad evidence never lets it grow.
TEST_F(ReleaseTest, KeepsItsPromises) {
  std::mt19937 random(42);
  for (int round = 0; round < 200; ++round) {
    config::Ramp ramp = ramp_of();
    ramp.from.millionths = 100 * static_cast<uint32_t>(random() % 2000);
    ramp.step.millionths = 100 * (1 + static_cast<uint32_t>(random() % 3000));
    ramp.until.millionths = ramp.from.millionths + 100 * static_cast<uint32_t>(random() % 8000);
    const auto guard =
        guard_of(random() % 2 == 0 ? config::GuardAction::kRollback : config::GuardAction::kHold);
    Release release(ramp, guard, Release::begin(ramp, now_));
    int64_t grown_at = now_;
    for (int i = 0; i < 300; ++i) {
      now_ += random() % 400;
      const uint32_t before = release.state().share;
      if (random() % 20 == 0) {
        const auto order = static_cast<ReleaseOrder>(random() % 4);
        if (release.obey(order, "alice", now_)) {
          grown_at = now_;
        }
        ASSERT_LE(release.state().share, buckets_of(ramp.until));
        continue;
      }
      const ReleaseEvidence& evidence = random() % 8 == 0   ? kBad
                                        : random() % 3 == 0 ? kNothing
                                                            : kGood;
      const auto change = release.advance(evidence, now_);
      const uint32_t after = release.state().share;
      ASSERT_LE(after, buckets_of(ramp.until));
      if (after > before) {
        ASSERT_EQ(&evidence, &kGood);
        ASSERT_LE(after - before, buckets_of(ramp.step));
        ASSERT_GE(now_ - grown_at, 1000);
        grown_at = now_;
      }
      ASSERT_EQ(change.has_value() || after == before, true);
    }
  }
}

TEST_F(ReleaseTest, IsAnotherOneWhenItsConfigIs) {
  config::Config config;
  config.upstreams.resize(3);
  config.upstreams[0].name = "v1";
  config.upstreams[1].name = "v2";
  config.upstreams[2].name = "v3";
  config::Split split;
  EXPECT_EQ(release_identity(config, split), "");
  split.enabled = true;
  split.upstreams = {{.upstream = 0, .weight = 1, .version = {}, .who = {}, .rules = {}},
                     {.upstream = 1, .weight = 1, .version = {}, .who = {}, .rules = {}}};
  EXPECT_EQ(release_identity(config, split), "");
  split.ramp = ramp_of();
  split.ramp.to = 1;
  const std::string one = release_identity(config, split);
  EXPECT_EQ(one.size(), 32U);
  split.guard.enabled = true;
  split.sticky_cookie = "place";
  EXPECT_EQ(release_identity(config, split), one);
  std::swap(config.upstreams[0], config.upstreams[2]);  // another order in the file
  split.upstreams[0].upstream = 2;
  EXPECT_EQ(release_identity(config, split), one);
  auto other = split;
  other.upstreams[1].version = "2.1";
  EXPECT_NE(release_identity(config, other), one);
  other = split;
  other.ramp.step.millionths = 50'000;
  EXPECT_NE(release_identity(config, other), one);
  other = split;
  other.upstreams[1].upstream = 0;
  EXPECT_NE(release_identity(config, other), one);
  EXPECT_NE(guard_identity(split.guard), guard_identity({}));
}

TEST_F(ReleaseTest, LooksOftenEnough) {
  Release release = begin(guard_of());
  EXPECT_EQ(release.interval(), milliseconds(250));
  config::Ramp slow = ramp_of();
  slow.every = std::chrono::hours(1);
  EXPECT_EQ(Release(slow, guard_of(), {}).interval(), std::chrono::seconds(1));
  EXPECT_EQ(release.until_step(now_ + 400), milliseconds(600));
  EXPECT_EQ(release.until_step(now_ + 4000), Duration::zero());
}

TEST(ReleaseOrder, HasWords) {
  EXPECT_EQ(release_order("abort"), ReleaseOrder::kAbort);
  EXPECT_EQ(release_order("stop"), std::nullopt);
  EXPECT_EQ(to_string(Stage::kRolledBack), "rolled_back");
  EXPECT_EQ(to_string(Decision::kAbort), "abort");
}

}  // namespace
}  // namespace hangu::policy
