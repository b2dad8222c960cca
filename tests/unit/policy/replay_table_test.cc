#include "hangu/policy/replay_table.h"

#include <array>
#include <atomic>
#include <random>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace hangu::policy {
namespace {

using Outcome = ReplayTable::Outcome;

constexpr int64_t kNow = 1'700'000'000;

TEST(ReplayTableTest, LetsAKeyPassOnceUntilItsTimeIsOver) {
  ReplayTable table(1024, kNow);
  const uint64_t key = 0x123456789abcdef0;
  EXPECT_EQ(table.use(key, 7, kNow + 300, kNow), Outcome::kFirst);
  EXPECT_EQ(table.use(key, 7, kNow + 300, kNow), Outcome::kReplay);
  EXPECT_EQ(table.use(key, 7, kNow + 600, kNow + 300), Outcome::kReplay);
  EXPECT_EQ(table.use(key ^ (1ULL << 60), 7, kNow + 300, kNow), Outcome::kFirst);
  EXPECT_EQ(table.live(kNow), 2U);
  EXPECT_EQ(table.use(key, 7, kNow + 900, kNow + 317), Outcome::kFirst);
  EXPECT_EQ(table.use(key, 7, kNow + 900, kNow + 317), Outcome::kReplay);
}

TEST(ReplayTableTest, TakesBackWhatWasInVain) {
  ReplayTable table(1024, kNow);
  const uint64_t key = 0x123456789abcdef0;
  const uint64_t other = key ^ (1ULL << 60);
  EXPECT_EQ(table.use(key, 7, kNow + 300, kNow), Outcome::kFirst);
  EXPECT_EQ(table.use(other, 7, kNow + 300, kNow), Outcome::kFirst);
  table.give_back(key, 7);
  EXPECT_EQ(table.live(kNow), 1U);
  EXPECT_EQ(table.use(other, 7, kNow + 300, kNow), Outcome::kReplay);
  EXPECT_EQ(table.use(key, 7, kNow + 300, kNow), Outcome::kFirst);
}

TEST(ReplayTableTest, NeverForgetsWhatStillCounts) {
  ReplayTable table(4096, kNow);
  std::mt19937_64 random(42);
  std::vector<std::array<uint64_t, 2>> passed;
  size_t full = 0;
  for (int i = 0; i < 20'000; ++i) {
    const std::array<uint64_t, 2> key = {random(), random()};
    const Outcome outcome = table.use(key[0], key[1], kNow + 600, kNow + i % 600);
    ASSERT_NE(outcome, Outcome::kReplay) << i;
    full += outcome == Outcome::kFull ? 1 : 0;
    if (outcome == Outcome::kFirst) {
      passed.push_back(key);
    }
  }
  EXPECT_GT(full, 0U);
  EXPECT_GE(passed.size(), 4096U);
  EXPECT_LE(passed.size(), table.places());
  EXPECT_EQ(table.live(kNow + 599), passed.size());
  for (const auto& key : passed) {
    EXPECT_EQ(table.use(key[0], key[1], kNow + 600, kNow + 599), Outcome::kReplay);
  }
}

TEST(ReplayTableTest, HoldsWhatItWasMadeForBeforeItIsFull) {
  ReplayTable table(3000, kNow);
  std::mt19937_64 random(7);
  for (int i = 0; i < 3000; ++i) {
    ASSERT_EQ(table.use(random(), random(), kNow + 600, kNow), Outcome::kFirst) << i;
  }
}

TEST(ReplayTableTest, MakesRoomForNewOnesAsOldOnesEnd) {
  ReplayTable table(64, kNow);
  std::mt19937_64 random(3);
  for (int i = 0; i < 10'000; ++i) {
    ASSERT_EQ(table.use(random(), random(), kNow + i + 16, kNow + i), Outcome::kFirst) << i;
  }
}

TEST(ReplayTableTest, ThreadsThatBringOneKeyPassOnceAtMost) {
  constexpr int kThreads = 4;
  constexpr uint64_t kKeys = 20'000;
  ReplayTable table(kKeys * 2, kNow);
  std::vector<std::atomic<int>> passed(kKeys);
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      for (uint64_t i = 0; i < kKeys; ++i) {
        const uint64_t key = (i + 1) * 0x9e3779b97f4a7c15;
        if (table.use(key, key * 0xff51afd7ed558ccd, kNow + 600, kNow) == Outcome::kFirst) {
          ++passed[i];
        }
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  for (uint64_t i = 0; i < kKeys; ++i) {
    ASSERT_LE(passed[i].load(), 1) << i;
  }
}

}  // namespace
}  // namespace hangu::policy
