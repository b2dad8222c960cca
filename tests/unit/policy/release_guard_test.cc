#include "hangu/policy/release_guard.h"

#include <cmath>
#include <random>

#include <gtest/gtest.h>

#include "hangu/base/proportion.h"

namespace hangu::policy {
namespace {

using stats::Histogram;
using std::chrono::seconds;

void record(ReleaseNumbers& numbers, uint64_t us, bool failed = false) {
  ++numbers.requests;
  numbers.errors += failed ? 1U : 0U;
  ++numbers.latency[Histogram::bucket_of(us)];
}

ReleaseNumbers requests(uint64_t count, uint64_t errors, uint64_t us = 20'000) {
  ReleaseNumbers numbers;
  for (uint64_t i = 0; i < count; ++i) {
    record(numbers, us, i < errors);
  }
  return numbers;
}

Verdict judged(const config::ReleaseGuard& guard, const ReleaseEvidence& evidence) {
  ReleaseBaseline baseline;
  return judge(guard, evidence, baseline);
}

config::ReleaseGuard guard_of() {
  config::ReleaseGuard guard;
  guard.enabled = true;
  return guard;
}

TEST(ReleaseGuard, BucketsBeginWhereTheySay) {
  for (size_t bucket = 0; bucket < Histogram::kBuckets; ++bucket) {
    const uint64_t lowest = Histogram::lowest_us(bucket);
    EXPECT_EQ(Histogram::bucket_of(lowest), bucket);
    if (bucket != 0) {
      EXPECT_EQ(Histogram::bucket_of(lowest - 1), bucket - 1);
    }
  }
}

TEST(ReleaseGuard, TellsThePercentileFromBuckets) {
  EXPECT_EQ(ReleaseNumbers{}.p99_us(), 0U);
  ReleaseNumbers numbers;
  for (uint64_t us = 1; us <= 100'000; us += 10) {
    record(numbers, us);
  }
  EXPECT_NEAR(static_cast<double>(numbers.p99_us()), 99'000, 8000) << "of a bucket";
  EXPECT_NEAR(static_cast<double>(numbers.slower_than(90'000)), 1000, 60);
  EXPECT_EQ(numbers.slower_than(1'000'000), 0U);
  EXPECT_EQ(requests(3, 0, uint64_t{1} << 40).p99_us(),
            Histogram::lowest_us(Histogram::kBuckets - 1));
}

TEST(ReleaseGuard, WantsRequestsBeforeItJudges) {
  const auto guard = guard_of();
  EXPECT_EQ(judged(guard, {requests(199, 199), requests(9000, 0)}).judgement, Judgement::kTooFew);
  EXPECT_EQ(judged(guard, {requests(200, 200), requests(9000, 0)}).judgement, Judgement::kErrors);
}

TEST(ReleaseGuard, ComparesErrorsWithTheOthers) {
  const auto guard = guard_of();
  EXPECT_FALSE(judged(guard, {requests(1000, 0), requests(9000, 0)}).bad());
  // As bad as the others: no reason.
  EXPECT_FALSE(judged(guard, {requests(1000, 300), requests(9000, 2700)}).bad());
  const Verdict verdict = judged(guard, {requests(1000, 100), requests(9000, 0)});
  EXPECT_EQ(verdict.judgement, Judgement::kErrors);
  EXPECT_EQ(verdict.numbers, "errors 10.00% of 1000 requests; the others 0.00%, allowed 1.00%");
  // Beyond the limit, but so may chance be.
  EXPECT_FALSE(judged(guard, {requests(200, 4), requests(9000, 0)}).bad());
}

TEST(ReleaseGuard, ComparesTheSlowest) {
  auto guard = guard_of();
  EXPECT_FALSE(judged(guard, {requests(1000, 0, 20'000), requests(9000, 0, 20'000)}).bad());
  const Verdict verdict = judged(guard, {requests(1000, 0, 200'000), requests(9000, 0, 20'000)});
  EXPECT_EQ(verdict.judgement, Judgement::kSlow);
  // A few slow ones are no percent of a thousand.
  ReleaseEvidence evidence{requests(1000, 0), requests(9000, 0)};
  for (int i = 0; i < 8; ++i) {
    record(evidence.released, 500'000);
  }
  EXPECT_FALSE(judged(guard, evidence).bad());
  for (int i = 0; i < 25; ++i) {
    record(evidence.released, 500'000);
  }
  EXPECT_EQ(judged(guard, evidence).judgement, Judgement::kSlow);
  // Nobody minds nine milliseconds instead of one.
  EXPECT_FALSE(judged(guard, {requests(1000, 0, 8'000), requests(9000, 0, 1'000)}).bad());
  guard.p99_delta.millionths = 0;
  EXPECT_FALSE(judged(guard, {requests(1000, 0, 900'000), requests(9000, 0, 1'000)}).bad());
}

/// At 99 % there are few requests left to compare with.
TEST(ReleaseGuard, RemembersTheOthers) {
  const auto guard = guard_of();
  ReleaseBaseline baseline;
  EXPECT_FALSE(judge(guard, {requests(1000, 50), requests(9000, 450)}, baseline).bad());
  EXPECT_TRUE(baseline.known);
  EXPECT_FALSE(judge(guard, {requests(9000, 450), requests(10, 0)}, baseline).bad());
  EXPECT_TRUE(judge(guard, {requests(9000, 1200), requests(10, 0)}, baseline).bad());
  // Without any memory nothing may fail but what `error_ratio_delta` allows.
  ReleaseBaseline none;
  EXPECT_FALSE(judge(guard, {requests(9000, 80), {}}, none).bad());
  EXPECT_TRUE(judge(guard, {requests(9000, 450), {}}, none).bad());
}

/// Two versions that are alike: a release of a thousand judgements must not end by chance.
TEST(ReleaseGuard, LeavesWhatIsAlikeAlone) {
  const auto guard = guard_of();
  std::mt19937 random(7);
  std::bernoulli_distribution fails(0.02);
  std::lognormal_distribution<double> latency(std::log(30'000.0), 0.6);
  const auto draw = [&](uint64_t count) {
    ReleaseNumbers numbers;
    for (uint64_t i = 0; i < count; ++i) {
      record(numbers, static_cast<uint64_t>(latency(random)), fails(random));
    }
    return numbers;
  };
  int bad = 0;
  for (int i = 0; i < 1000; ++i) {
    bad += judged(guard, {draw(200), draw(2000)}).bad() ? 1 : 0;
  }
  EXPECT_LE(bad, 10);
}

TEST(ReleaseGuard, IsMoreCertainTheMoreItHasSeen) {
  EXPECT_EQ(least_likely_ratio(0, 100), 0);
  EXPECT_EQ(least_likely_ratio(0, 0), 0);
  double before = 0;
  for (uint64_t total = 10; total < 10'000'000; total *= 10) {
    const double now = least_likely_ratio(total / 10, total);
    EXPECT_GT(now, before);
    EXPECT_LT(now, 0.1);
    before = now;
  }
  EXPECT_NEAR(before, 0.1, 0.001);
}

TEST(ReleaseWindow, ForgetsWhatIsOlder) {
  ReleaseWindow window(seconds(10));
  EXPECT_EQ(window.sum(0).released.requests, 0U);
  for (int64_t second = 0; second < 100; ++second) {
    window.add({requests(10, 1), requests(100, 0)}, second * 1000);
    const uint64_t seen = window.sum(second * 1000).released.requests;
    EXPECT_EQ(seen, static_cast<uint64_t>(std::min<int64_t>(second + 1, 11) * 10));
  }
  EXPECT_EQ(window.sum(105'000).others.requests, 500U);
  EXPECT_EQ(window.sum(200'000).released.requests, 0U);
  window.add({requests(1, 0), {}}, 200'000);
  window.clear();
  EXPECT_EQ(window.sum(200'000).released.requests, 0U);
}

TEST(ReleaseNumbers, AddAndSubtract) {
  ReleaseNumbers sum = requests(10, 2);
  sum.add(requests(5, 1, 100));
  EXPECT_EQ(sum.requests, 15U);
  EXPECT_EQ(sum.errors, 3U);
  EXPECT_EQ(sum.measured(), 15U);
  EXPECT_EQ(sum.since(requests(10, 2)), requests(5, 1, 100));
}

}  // namespace
}  // namespace hangu::policy
