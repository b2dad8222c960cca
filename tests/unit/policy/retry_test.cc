#include "hangu/policy/retry.h"

#include <algorithm>
#include <random>
#include <string>

#include <gtest/gtest.h>

namespace hangu::policy {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class RetryTest : public testing::Test {
 protected:
  buffer::BlockPool blocks_{{.block_bytes = 2048, .blocks_max = 16}};
  buffer::Arena arena_{blocks_, blocks_};
  http::HeaderBlock headers_{arena_};
  config::RetryPolicy policy_;
};

TEST_F(RetryTest, ReasonsFollowFromWhatBecameOfTheRequest) {
  const auto reason = [](Retry retry) {
    return retry_reason({.code = Errc::kReset, .side = Side::kUpstream, .retry = retry});
  };
  EXPECT_EQ(reason(Retry::kNever), std::nullopt);
  EXPECT_EQ(reason(Retry::kSafe), RetryReason::kConnectFailure);
  EXPECT_EQ(reason(Retry::kRefused), RetryReason::kRefusedStream);
  EXPECT_EQ(reason(Retry::kGoaway), RetryReason::kGoaway);
  EXPECT_EQ(reason(Retry::kIfReused), RetryReason::kResetBeforeRequest);
  EXPECT_EQ(reason(Retry::kIfIdempotent), RetryReason::kReset);
}

TEST_F(RetryTest, ByDefaultOnlyWhatTheUpstreamProbablyDidNotSee) {
  const RetryReasons reasons(policy_);
  EXPECT_TRUE(reasons.has(RetryReason::kConnectFailure));
  EXPECT_TRUE(reasons.has(RetryReason::kRefusedStream));
  EXPECT_TRUE(reasons.has(RetryReason::kGoaway));
  EXPECT_TRUE(reasons.has(RetryReason::kResetBeforeRequest));
  EXPECT_FALSE(reasons.has(RetryReason::kReset));
  EXPECT_FALSE(reasons.has(RetryReason::kTimeout));
}

TEST_F(RetryTest, IdempotentRequestsAndThoseWithAKeyMayArriveTwice) {
  EXPECT_TRUE(may_repeat(policy_, http::Method::kPut, headers_));
  EXPECT_FALSE(may_repeat(policy_, http::Method::kPost, headers_));
  EXPECT_FALSE(may_repeat(policy_, http::Method::kPatch, headers_));
  ASSERT_TRUE(headers_.add("Idempotency-Key", "8e03978e"));
  EXPECT_TRUE(may_repeat(policy_, http::Method::kPost, headers_));
}

TEST_F(RetryTest, TheOwnerMaySayThatAllMay) {
  policy_.non_idempotent = true;
  EXPECT_TRUE(may_repeat(policy_, http::Method::kPost, headers_));
}

TEST_F(RetryTest, ATryIsBoundedOnlyWhenThatIsAskedFor) {
  EXPECT_EQ(try_time(policy_, seconds(15)), Duration::zero());
  policy_.attempts = 2;
  policy_.on.push_back(RetryReason::kTimeout);
  EXPECT_EQ(try_time(policy_, seconds(15)), seconds(5));
  EXPECT_EQ(try_time(policy_, Duration::zero()), Duration::zero());
  policy_.try_timeout = seconds(1);
  EXPECT_EQ(try_time(policy_, seconds(15)), seconds(1));
}

TEST_F(RetryTest, ATimeOfATryIsAReason) {
  policy_.try_timeout = seconds(1);
  EXPECT_TRUE(RetryReasons(policy_).has(RetryReason::kTimeout));
}

TEST_F(RetryTest, BackoffDoublesUpToItsMost) {
  policy_.backoff = milliseconds(10);
  policy_.backoff_max = milliseconds(35);
  for (const auto& [retry, most] : {std::pair(1U, 10), std::pair(2U, 20), std::pair(3U, 35),
                                    std::pair(9U, 35), std::pair(1000U, 35)}) {
    EXPECT_EQ(retry_backoff(policy_, retry, 0), Duration(1));
    const auto last = static_cast<uint64_t>(Duration(milliseconds(most)).count()) - 1;
    EXPECT_EQ(retry_backoff(policy_, retry, last), milliseconds(most)) << retry;
    EXPECT_EQ(retry_backoff(policy_, retry, last + 1), Duration(1)) << retry;
  }
}

TEST_F(RetryTest, WaitsAsAskedUpToASecondAndAHalf) {
  EXPECT_EQ(retry_after_wait("", 5), Duration::zero());
  EXPECT_EQ(retry_after_wait("0", 5), Duration::zero());
  EXPECT_EQ(retry_after_wait("1", 0), Duration(seconds(1)));
  for (uint64_t random = 0; random < 2'000'000'000; random += 77'777'777) {
    const auto wait = retry_after_wait("1", random);
    ASSERT_TRUE(wait.has_value());
    EXPECT_GE(*wait, seconds(1));
    EXPECT_LE(*wait, milliseconds(1500));
  }
}

TEST_F(RetryTest, GivesUpOnALongerWaitOrADate) {
  for (const char* field :
       {"2", "120", "99999999999999999999", "-1", "soon", "Wed, 21 Oct 2026 07:28:00 GMT"}) {
    EXPECT_EQ(retry_after_wait(field, 0), std::nullopt) << field;
  }
}

// --- at random --------------------------------------------------------------------------------

TEST_F(RetryTest, WhateverIsSetAWaitIsBoundedAndTriesFitIntoTheWhole) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 50'000; ++i) {
    policy_.backoff = milliseconds(random() % 1000);
    policy_.backoff_max = policy_.backoff * (1 + random() % 100);
    const auto retry = static_cast<uint32_t>(1 + random() % (i % 2 == 0 ? 8 : UINT32_MAX - 1));
    const Duration wait = retry_backoff(policy_, retry, random());
    if (policy_.backoff == Duration::zero()) {
      ASSERT_EQ(wait, Duration::zero());
    } else {
      const uint64_t times = uint64_t{1} << std::min(retry - 1, 30U);
      const uint64_t most = std::min(times * static_cast<uint64_t>(policy_.backoff.count()),
                                     static_cast<uint64_t>(policy_.backoff_max.count()));
      ASSERT_GT(wait, Duration::zero());
      ASSERT_LE(static_cast<uint64_t>(wait.count()), most) << retry;
    }
    policy_.attempts = static_cast<uint32_t>(random() % 10);
    policy_.on = {RetryReason::kTimeout};
    const Duration whole = milliseconds(random() % 100'000);
    ASSERT_LE(try_time(policy_, whole) * (policy_.attempts + 1), whole);
    ASSERT_GT((try_time(policy_, whole) + milliseconds(1)) * (policy_.attempts + 1), whole);
    const uint64_t asked = random() % 4;
    const auto after = retry_after_wait(std::to_string(asked), random());
    ASSERT_EQ(after.has_value(), asked <= 1);
    if (after) {
      ASSERT_GE(*after, seconds(asked));
      ASSERT_LE(*after, Duration(seconds(asked)) * 3 / 2);
    }
  }
}

}  // namespace
}  // namespace hangu::policy
