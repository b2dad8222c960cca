#include "hangu/policy/traffic_split.h"

#include <vector>

#include <gtest/gtest.h>

#include "hangu/policy/request_hash.h"

namespace hangu::policy {
namespace {

TEST(TrafficSplit, SharesTheBucketsByWeight) {
  const TrafficSplit split({95, 5});
  EXPECT_EQ(split.buckets(0), 9500U);
  EXPECT_EQ(split.buckets(1), 500U);
  EXPECT_EQ(split.share_of(0), 0U);
  EXPECT_EQ(split.share_of(9499), 0U);
  EXPECT_EQ(split.share_of(9500), 1U);
  EXPECT_EQ(split.share_of(9999), 1U);
}

TEST(TrafficSplit, EveryBucketHasAnUpstreamWithWeight) {
  for (const std::vector<uint32_t>& weights :
       {std::vector<uint32_t>{1, 1, 1}, {0, 7, 0}, {0, 0, 1}, {1'000'000, 1, 0}, {3, 0, 0, 9}}) {
    const TrafficSplit split(weights);
    uint32_t sum = 0;
    for (size_t i = 0; i < weights.size(); ++i) {
      sum += split.buckets(i);
    }
    EXPECT_EQ(sum, TrafficSplit::kBuckets);
    for (uint32_t bucket = 0; bucket < TrafficSplit::kBuckets; ++bucket) {
      ASSERT_LT(split.share_of(bucket), weights.size());
      ASSERT_NE(weights[split.share_of(bucket)], 0U);
    }
  }
}

/// Whoever has the newer version keeps it while its weight grows.
TEST(TrafficSplit, AGrowingShareMovesOnlyWhoHasToMove) {
  for (uint32_t weight = 0; weight < 100; ++weight) {
    const TrafficSplit before({100 - weight, weight});
    const TrafficSplit after({99 - weight, weight + 1});
    uint32_t moved = 0;
    for (uint32_t bucket = 0; bucket < TrafficSplit::kBuckets; ++bucket) {
      ASSERT_GE(after.share_of(bucket), before.share_of(bucket));
      moved += after.share_of(bucket) != before.share_of(bucket) ? 1U : 0U;
    }
    EXPECT_EQ(moved, TrafficSplit::kBuckets / 100);
  }
}

TEST(TrafficSplit, ReadsOnlyItsOwnBuckets) {
  EXPECT_EQ(TrafficSplit::parse_bucket("0"), 0U);
  EXPECT_EQ(TrafficSplit::parse_bucket("9999"), 9999U);
  for (const char* bad : {"", "10000", "-1", "1x", "99999999999999999999"}) {
    EXPECT_EQ(TrafficSplit::parse_bucket(bad), std::nullopt) << bad;
  }
}

/// The same on every node and in every release: who reads this test in anger is about to move every
/// client of a split.
TEST(TrafficSplit, KeysKeepTheirBuckets) {
  HashedKey key{.hash = TrafficSplit::kSeed};
  hash_part(config::KeyPart::Kind::kCookie, "user-42", {}, key);
  EXPECT_EQ(TrafficSplit::bucket_of(key.hash), 8213U);
  EXPECT_TRUE(key.whole);
}

TEST(TrafficSplit, KeysSpreadEvenly) {
  std::vector<int> counts(10);
  for (int i = 0; i < 20'000; ++i) {
    HashedKey key{.hash = TrafficSplit::kSeed};
    hash_part(config::KeyPart::Kind::kCookie, "user-" + std::to_string(i), {}, key);
    ++counts[TrafficSplit::bucket_of(key.hash) / 1000];
  }
  for (const int count : counts) {
    EXPECT_NEAR(count, 2000, 215);  // five standard deviations
  }
}

}  // namespace
}  // namespace hangu::policy
