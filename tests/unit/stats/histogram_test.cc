#include "hangu/stats/histogram.h"

#include <gtest/gtest.h>

namespace hangu::stats {
namespace {

using std::chrono::microseconds;
using std::chrono::seconds;

TEST(Histogram, BucketsGrowWithTheirValuesAndLeaveNoGap) {
  size_t last = 0;
  for (uint64_t us = 0; us < 200'000; ++us) {
    const size_t bucket = Histogram::bucket_of(us);
    ASSERT_TRUE(bucket == last || bucket == last + 1) << us;
    last = bucket;
  }
}

TEST(Histogram, PowersOfTwoBeginBuckets) {
  for (unsigned bits = 5; bits < Histogram::kOctaves; ++bits) {
    const uint64_t us = uint64_t{1} << bits;
    EXPECT_EQ(Histogram::bucket_of(us - 1) + 1, Histogram::bucket_of(us)) << us;
  }
}

TEST(Histogram, LongestShareTheLastBucket) {
  EXPECT_EQ(Histogram::bucket_of(uint64_t{1} << Histogram::kOctaves), Histogram::kBuckets - 1);
  EXPECT_EQ(Histogram::bucket_of(UINT64_MAX), Histogram::kBuckets - 1);
  EXPECT_EQ(Histogram::bucket_of((uint64_t{1} << Histogram::kOctaves) - 1),
            Histogram::kBuckets - 2);
}

TEST(Histogram, Records) {
  Histogram histogram;
  histogram.record(microseconds(100));
  histogram.record(seconds(1));
  histogram.record(Duration(-5));  // a clock that went back
  EXPECT_EQ(histogram.count(), 3U);
  EXPECT_EQ(histogram.sum_us(), 1'000'100U);
  EXPECT_EQ(histogram.bucket(Histogram::bucket_of(100)), 1U);
  EXPECT_EQ(histogram.bucket(0), 1U);
}

}  // namespace
}  // namespace hangu::stats
