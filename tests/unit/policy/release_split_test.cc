#include "hangu/policy/release_split.h"

#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace hangu::policy {
namespace {

constexpr uint32_t kAll = TrafficSplit::kBuckets;

std::vector<uint32_t> counts_of(const ReleaseSplit& split, uint32_t share, size_t parts) {
  std::vector<uint32_t> counts(parts);
  for (uint32_t bucket = 0; bucket < kAll; ++bucket) {
    ++counts.at(split.share_of(bucket, share));
  }
  return counts;
}

TEST(ReleaseSplit, GivesTheShareAndDividesTheRestByWeight) {
  const ReleaseSplit split({60, 40, 0}, 2);
  EXPECT_EQ(counts_of(split, 0, 3), (std::vector<uint32_t>{6000, 4000, 0}));
  EXPECT_EQ(counts_of(split, 1000, 3), (std::vector<uint32_t>{5400, 3600, 1000}));
  EXPECT_EQ(counts_of(split, 5000, 3), (std::vector<uint32_t>{3000, 2000, 5000}));
  EXPECT_EQ(counts_of(split, kAll, 3), (std::vector<uint32_t>{0, 0, kAll}));
}

/// Whoever has come to the new version stays while it grows, and nobody else changes: for weights,
/// places and steps of any kind.
TEST(ReleaseSplit, MovesNobodyButToTheReleasedOne) {
  std::mt19937 generator(20261127);
  const auto random = [&generator] { return static_cast<uint32_t>(generator()); };
  for (int round = 0; round < 60; ++round) {
    const size_t parts = 2 + random() % 4;
    const size_t released = random() % parts;
    std::vector<uint32_t> weights(parts);
    for (uint32_t& weight : weights) {
      weight = random() % 3 == 0 ? 0 : random() % 1000;
    }
    weights[released] = 0;
    weights[(released + 1) % parts] += 1;
    const ReleaseSplit split(weights, released);
    uint32_t share = 0;
    std::vector<size_t> before(kAll);
    for (uint32_t bucket = 0; bucket < kAll; ++bucket) {
      before[bucket] = split.share_of(bucket, 0);
      ASSERT_NE(before[bucket], released);
    }
    while (share < kAll) {
      share = std::min(share + 1 + random() % 700, kAll);
      uint32_t count = 0;
      for (uint32_t bucket = 0; bucket < kAll; ++bucket) {
        const size_t now = split.share_of(bucket, share);
        ASSERT_TRUE(now == before[bucket] || now == released) << bucket << " at " << share;
        before[bucket] = now;
        count += now == released ? 1U : 0U;
      }
      ASSERT_NEAR(count, share, static_cast<double>(parts)) << "of rounding";
    }
    ASSERT_EQ(counts_of(split, kAll, parts)[released], kAll);
  }
}

/// So a release that is to stay where it is can be written down as weights.
TEST(ReleaseSplit, OfTwoIsWhatWeightsWouldBe) {
  for (const uint32_t share : {0U, 1U, 100U, 3333U, 5000U, 9999U}) {
    const ReleaseSplit last({1, 0}, 1);
    const TrafficSplit weights({kAll - share, share});
    const ReleaseSplit first({0, 1}, 0);
    const TrafficSplit turned({share, kAll - share});
    for (uint32_t bucket = 0; bucket < kAll; ++bucket) {
      ASSERT_EQ(last.share_of(bucket, share), weights.share_of(bucket));
      ASSERT_EQ(first.share_of(bucket, share), turned.share_of(bucket));
    }
  }
}

}  // namespace
}  // namespace hangu::policy
