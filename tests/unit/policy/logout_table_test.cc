#include "hangu/policy/logout_table.h"

#include <random>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace hangu::policy {
namespace {

constexpr int64_t kNow = 1'700'000'000;
constexpr int64_t kKeep = 3600;

TEST(LogoutTableTest, EndsWhatBeganBeforeAndNothingElse) {
  LogoutTable table(1024, kNow);
  const uint64_t key = 0x123456789abcdef0;
  EXPECT_FALSE(table.ended(key, kNow));
  EXPECT_TRUE(table.end(key, kNow + 10, kKeep));
  EXPECT_TRUE(table.ended(key, kNow - 5000));  // before this process
  EXPECT_TRUE(table.ended(key, kNow + 10));
  EXPECT_FALSE(table.ended(key, kNow + 11));
  EXPECT_FALSE(table.ended(key ^ (1ULL << 60), kNow));
  EXPECT_TRUE(table.end(key, kNow + 20, kKeep));
  EXPECT_TRUE(table.ended(key, kNow + 20));
  EXPECT_TRUE(table.end(key, kNow + 15, kKeep));  // the later one counts
  EXPECT_TRUE(table.ended(key, kNow + 20));
}

TEST(LogoutTableTest, NeverForgetsWhatStillCountsHoweverFullItIs) {
  LogoutTable table(2048, kNow);
  std::mt19937_64 random(42);
  std::vector<uint64_t> kept;
  size_t full = 0;
  for (int i = 0; i < 10'000; ++i) {
    const uint64_t key = random();
    if (table.end(key, kNow + i % 60, kKeep)) {
      kept.push_back(key);
    } else {
      ++full;
    }
  }
  EXPECT_GT(full, 0U);
  EXPECT_GE(kept.size(), 2048U);
  for (const uint64_t key : kept) {
    ASSERT_TRUE(table.ended(key, kNow));
  }
  // When their time is over they make room, for as many.
  size_t fresh = 0;
  for (int i = 0; i < 2048; ++i) {
    fresh += table.end(random(), kNow + kKeep + 100, kKeep) ? 1 : 0;
  }
  EXPECT_EQ(fresh, 2048U);
}

TEST(LogoutTableTest, HoldsWhatItWasMadeForBeforeItIsFull) {
  LogoutTable table(3000, kNow);
  std::mt19937_64 random(7);
  for (int i = 0; i < 3000; ++i) {
    ASSERT_TRUE(table.end(random(), kNow, kKeep)) << i;
  }
  size_t wrong = 0;
  for (int i = 0; i < 100'000; ++i) {
    wrong += table.ended(random(), kNow) ? 1 : 0;
  }
  EXPECT_EQ(wrong, 0U);
}

TEST(LogoutTableTest, ThreadsLoseNothing) {
  LogoutTable table(8192, kNow);
  constexpr uint64_t kEach = 1000;
  constexpr uint64_t kStep = 0x9e3779b97f4a7c15;
  std::vector<std::thread> threads;
  for (uint64_t thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&table, thread] {
      for (uint64_t i = 0; i < kEach; ++i) {
        EXPECT_TRUE(table.end((thread * kEach + i + 1) * kStep, kNow + 1, kKeep));
        EXPECT_TRUE(table.ended((thread * kEach + i + 1) * kStep, kNow));
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  for (uint64_t i = 1; i <= 4 * kEach; ++i) {
    ASSERT_TRUE(table.ended(i * kStep, kNow)) << i;
  }
}

}  // namespace
}  // namespace hangu::policy
