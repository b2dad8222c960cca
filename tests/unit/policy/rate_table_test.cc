#include "hangu/policy/rate_table.h"

#include <atomic>
#include <random>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace hangu::policy {
namespace {

constexpr int64_t kSecond = 1'000'000'000;

int allowed_at_once(RateTable& table, uint64_t key, const Gcra& rate, int64_t now_ns) {
  int allowed = 0;
  while (table.take(key, rate, 1, now_ns).decision.allowed) {
    ++allowed;
  }
  return allowed;
}

TEST(Gcra, AllowsABurstAndThenTheRate) {
  const Gcra rate(10, kSecond, 5);
  int64_t state = 0;
  int64_t now = 100 * kSecond;
  for (uint64_t left = 5; left-- > 0;) {
    const Gcra::Decision decision = rate.decide(state, now, 1);
    ASSERT_TRUE(decision.allowed);
    EXPECT_EQ(decision.remaining, left);
    state = decision.full_at_ns;
  }
  const Gcra::Decision refused = rate.decide(state, now, 1);
  EXPECT_FALSE(refused.allowed);
  EXPECT_EQ(refused.full_at_ns, state);
  EXPECT_EQ(refused.retry_in_ns, kSecond / 10);
  EXPECT_FALSE(rate.decide(state, now + refused.retry_in_ns - 1, 1).allowed);
  EXPECT_TRUE(rate.decide(state, now + refused.retry_in_ns, 1).allowed);
}

TEST(Gcra, CostsMoreAndNeverMoreThanTheBurst) {
  const Gcra rate(10, kSecond, 5);
  EXPECT_EQ(rate.decide(0, kSecond, 3).remaining, 2U);
  EXPECT_TRUE(rate.decide(0, kSecond, 5).allowed);
  EXPECT_FALSE(rate.decide(0, kSecond, 6).allowed);
}

/// Whatever comes, no window of length t lets through more than burst + rate * t.
TEST(Gcra, KeepsItsPromiseForAnyArrivals) {
  std::mt19937_64 random(7);
  for (int run = 0; run < 50; ++run) {
    const uint64_t count = 1 + random() % 1000;
    const uint64_t burst = 1 + random() % 50;
    const Gcra rate(count, kSecond, burst);
    std::vector<int64_t> passed;
    int64_t state = 0;
    int64_t now = kSecond;
    for (int i = 0; i < 2000; ++i) {
      now += static_cast<int64_t>(random() % static_cast<uint64_t>(kSecond / 500));
      const Gcra::Decision decision = rate.decide(state, now, 1);
      state = decision.full_at_ns;
      if (decision.allowed) {
        passed.push_back(now);
      }
    }
    for (size_t first = 0; first < passed.size(); first += 13) {
      for (size_t last = first; last < passed.size(); last += 7) {
        const double seconds = static_cast<double>(passed[last] - passed[first]) / 1e9;
        EXPECT_LE(static_cast<double>(last - first + 1),
                  static_cast<double>(burst) +
                      seconds * 1e9 / static_cast<double>(rate.interval_ns()) + 1e-6);
      }
    }
  }
}

TEST(RateTable, CountsEachKeyByItself) {
  RateTable table(100);
  const Gcra rate(1, kSecond, 3);
  for (const uint64_t key : {0ULL, 1ULL << 40, 2ULL << 40, 77ULL}) {
    EXPECT_EQ(allowed_at_once(table, key, rate, 5 * kSecond), 3);
  }
  EXPECT_EQ(allowed_at_once(table, 77, rate, 7 * kSecond), 2);
}

TEST(RateTable, GivesBack) {
  RateTable table(100);
  const Gcra rate(1, kSecond, 2);
  EXPECT_EQ(allowed_at_once(table, 9, rate, kSecond), 2);
  table.give_back(9, rate, 1, kSecond);
  EXPECT_EQ(allowed_at_once(table, 9, rate, kSecond), 1);
}

TEST(RateTable, ManyKeysFindPlaces) {
  constexpr size_t kKeys = 100'000;
  RateTable table(kKeys);
  const Gcra rate(1, 60 * kSecond, 1);
  std::mt19937_64 random(1);
  size_t shared = 0;
  for (size_t i = 0; i < kKeys; ++i) {
    shared += table.take(random(), rate, 1, kSecond).shared ? 1 : 0;
  }
  EXPECT_LE(shared, kKeys / 10'000);
}

/// A flood of new keys: memory does not grow, keys that are there keep their buckets, those without
/// a place share one, and once buckets are full again the places serve others.
TEST(RateTable, ChurnIsBounded) {
  RateTable table(1000);
  const Gcra rate(1, 10 * kSecond, 1);
  std::mt19937_64 random(2);
  ASSERT_TRUE(table.take(4242, rate, 1, kSecond).decision.allowed);
  size_t shared = 0;
  size_t allowed = 0;
  for (size_t i = 0; i < 100'000; ++i) {
    const RateTable::Taken taken = table.take(random(), rate, 1, kSecond);
    shared += taken.shared ? 1 : 0;
    allowed += taken.decision.allowed ? 1 : 0;
  }
  EXPECT_GE(shared, 100'000 - table.places());
  EXPECT_LE(allowed, table.places() + 1);
  EXPECT_FALSE(table.take(4242, rate, 1, kSecond).decision.allowed);
  EXPECT_FALSE(table.take(random(), rate, 1, 12 * kSecond).shared);
}

TEST(RateTable, ThreadsShareABucketExactly) {
  RateTable table(16);
  const Gcra rate(1, 3600 * kSecond, 10'000);
  ASSERT_TRUE(table.take(5, rate, 1, kSecond).decision.allowed);
  std::atomic<int> allowed{1};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] { allowed += allowed_at_once(table, 5, rate, kSecond); });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(allowed, 10'000);
}

}  // namespace
}  // namespace hangu::policy
