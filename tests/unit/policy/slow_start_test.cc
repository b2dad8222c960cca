#include "hangu/policy/slow_start.h"

#include <chrono>
#include <limits>

#include <gtest/gtest.h>

namespace hangu::policy {
namespace {

constexpr int64_t kSecond = 1'000'000'000;

config::SlowStart over(int64_t seconds) {
  return {.window = std::chrono::seconds(seconds), .aggression = 1, .percent_min = 10};
}

TEST(SlowStart, WithoutAWindowAnEndpointHasItsShareAtOnce) {
  EXPECT_EQ(share_of(over(0), 7 * kSecond, 8 * kSecond), kFullShare);
  EXPECT_EQ(share_of(over(0), 7 * kSecond, 7 * kSecond), kFullShare);
  // The prober's clock is ahead of a shard's, which is read once a turn.
  EXPECT_EQ(share_of(over(0), 7 * kSecond + 1, 7 * kSecond), kFullShare);
}

TEST(SlowStart, OneThatWasThereFromTheBeginningHasItsShare) {
  EXPECT_EQ(share_of(over(30), 0, kSecond), kFullShare);
}

TEST(SlowStart, RisesFromTheLeastToTheWholeOverTheWindow) {
  EXPECT_EQ(share_of(over(30), kSecond + 1, kSecond), 100U);  // not there yet
  EXPECT_EQ(share_of(over(30), kSecond, kSecond), 100U);
  EXPECT_EQ(share_of(over(30), kSecond, 16 * kSecond), 500U);
  EXPECT_EQ(share_of(over(30), kSecond, 31 * kSecond), kFullShare);
  uint32_t before = 0;
  for (int64_t age = 0; age <= 30; ++age) {
    const uint32_t share = share_of(over(30), kSecond, (1 + age) * kSecond);
    EXPECT_GE(share, before);
    before = share;
  }
}

TEST(SlowStart, IsSteeperAtFirstWithMoreAggression) {
  config::SlowStart steep = over(30);
  steep.aggression = 2;
  EXPECT_GT(share_of(steep, kSecond, 9 * kSecond), share_of(over(30), kSecond, 9 * kSecond));
}

TEST(SlowStart, NeverGivesNothing) {
  config::SlowStart none = over(30);
  none.percent_min = 0;
  EXPECT_EQ(share_of(none, kSecond, kSecond), 1U);
  EXPECT_EQ(share_of(none, std::numeric_limits<int64_t>::max(), kSecond), 1U);
}

}  // namespace
}  // namespace hangu::policy
