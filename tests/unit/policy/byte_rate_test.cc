#include "hangu/policy/byte_rate.h"

#include <cstdint>
#include <queue>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace hangu::policy {
namespace {

constexpr int64_t kSecond = 1'000'000'000;
constexpr uint64_t kMiB = 1024 * 1024;

TEST(ByteRate, ABurstPassesAtOnce) {
  const ByteRate rate(kMiB, 256 * 1024);
  const ByteRate::Reservation first = rate.reserve(0, kSecond, 200 * 1024);
  EXPECT_EQ(first.bytes, 200U * 1024);
  EXPECT_EQ(first.wait_ns, 0);
  // 56 KiB are left, and all of them can be had.
  const ByteRate::Reservation second = rate.reserve(first.full_at_ns, kSecond, kMiB);
  EXPECT_NEAR(static_cast<double>(second.bytes), 56 * 1024, 2);
  EXPECT_EQ(second.wait_ns, 0);
}

TEST(ByteRate, AReservationWaitsForItsTurn) {
  const ByteRate rate(100'000, 10'000);
  int64_t full = rate.reserve(0, kSecond, 10'000).full_at_ns;
  for (int turn = 1; turn <= 5; ++turn) {
    const ByteRate::Reservation next = rate.reserve(full, kSecond, 50'000);
    EXPECT_EQ(next.bytes, 1024U);
    EXPECT_NEAR(static_cast<double>(next.wait_ns), turn * 0.01024 * kSecond, 100);
    full = next.full_at_ns;
  }
}

TEST(ByteRate, AFullBucketHoldsNoMoreThanItsBurst) {
  const ByteRate rate(kMiB, 64 * 1024);
  const ByteRate::Reservation after_an_hour = rate.reserve(kSecond, 3600 * kSecond, 10 * kMiB);
  EXPECT_NEAR(static_cast<double>(after_an_hour.bytes), 64 * 1024, 2);
}

TEST(ByteRate, VeryFastAndVerySlow) {
  const ByteRate fast(100'000 * kMiB, 10'000 * kMiB);
  int64_t full = 0;
  for (int i = 0; i < 1000; ++i) {
    full = fast.reserve(full, 0, 64 * 1024).full_at_ns;
  }
  // 62.5 MiB at 100,000 MiB/s: 625 µs, rounded up by a nanosecond a piece at most.
  EXPECT_NEAR(static_cast<double>(full), 625e3, 1e3);
  const ByteRate slow(1024, 1024);
  EXPECT_EQ(slow.reserve(kSecond, 0, 5000).wait_ns,
            kSecond + slow.cost_ns(1024) - slow.cost_ns(1024));
}

/// Streams that share a bucket, each asking again when its piece has passed: together they get the
/// rate, and each of them its share.
TEST(ByteRate, ManyShareTheRateEvenly) {
  constexpr uint64_t kRate = 2 * kMiB;
  constexpr uint64_t kBurst = 128 * 1024;
  constexpr size_t kStreams = 20;
  constexpr int64_t kLength = 10 * kSecond;
  const ByteRate rate(kRate, kBurst);
  std::mt19937_64 random(7);

  struct Wake {
    int64_t at;
    size_t stream;
    uint64_t bytes;

    bool operator<(const Wake& other) const { return at > other.at; }
  };

  std::priority_queue<Wake> wakes;
  std::vector<uint64_t> passed(kStreams);
  int64_t full = 0;
  for (size_t i = 0; i < kStreams; ++i) {
    wakes.push({static_cast<int64_t>(random() % kSecond) / 100, i, 0});
  }
  while (wakes.top().at < kLength) {
    const Wake wake = wakes.top();
    wakes.pop();
    passed[wake.stream] += wake.bytes;
    const ByteRate::Reservation next = rate.reserve(full, wake.at, 64 * 1024);
    full = next.full_at_ns;
    // A timer is up to two milliseconds late.
    const auto late = static_cast<int64_t>(random() % 2'000'000);
    wakes.push({wake.at + next.wait_ns + (next.wait_ns != 0 ? late : 1), wake.stream, next.bytes});
  }
  uint64_t sum = 0;
  for (const uint64_t bytes : passed) {
    sum += bytes;
    EXPECT_NEAR(static_cast<double>(bytes), 10.0 * kRate / kStreams, 0.15 * 10 * kRate / kStreams);
  }
  EXPECT_LE(sum, 10 * kRate + kBurst + 64 * 1024);
  EXPECT_GE(static_cast<double>(sum), 0.97 * 10 * kRate);
}

}  // namespace
}  // namespace hangu::policy
