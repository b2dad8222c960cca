#include "hangu/policy/shared_slots.h"

#include <atomic>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "hangu/policy/connection_budget.h"

namespace hangu::policy {
namespace {

using config::Priority;
using Grant = SharedSlots::Grant;

class SharedSlotsTest : public testing::Test {
 protected:
  /// False: as many wait as may.
  bool wait(uint32_t shard, Priority priority, uint32_t waiting_max = 100) {
    return slots_.wait({.shard = shard, .priority = priority}, kMax, waiting_max, granted_);
  }

  void fill() {
    for (uint32_t i = 0; i < kMax; ++i) {
      ASSERT_TRUE(slots_.take(kMax));
    }
  }

  static constexpr uint32_t kMax = 3;
  SharedSlots slots_{4};
  std::optional<Grant> granted_;
};

TEST_F(SharedSlotsTest, GivesNoMoreThanThereAre) {
  fill();
  EXPECT_FALSE(slots_.take(kMax));
  EXPECT_EQ(slots_.taken(), kMax);
  EXPECT_EQ(slots_.give_back(kMax), std::nullopt);
  EXPECT_TRUE(slots_.take(kMax));
}

TEST_F(SharedSlotsTest, WhoComesAnewDoesNotOvertake) {
  fill();
  ASSERT_TRUE(wait(1, Priority::kNormal));
  const auto grant = slots_.give_back(kMax);
  ASSERT_TRUE(grant.has_value());
  EXPECT_EQ(grant->shard, 1U);
  EXPECT_EQ(slots_.taken(), kMax);  // it is shard 1's
  EXPECT_FALSE(slots_.take(kMax));
}

TEST_F(SharedSlotsTest, TheHighestClassGoesFirstWhereverItWaits) {
  fill();
  ASSERT_TRUE(wait(0, Priority::kLow));
  ASSERT_TRUE(wait(1, Priority::kNormal));
  ASSERT_TRUE(wait(2, Priority::kHigh));
  EXPECT_EQ(slots_.give_back(kMax)->shard, 2U);
  EXPECT_EQ(slots_.give_back(kMax)->shard, 1U);
  EXPECT_EQ(slots_.give_back(kMax)->shard, 0U);
  EXPECT_EQ(slots_.give_back(kMax), std::nullopt);
}

TEST_F(SharedSlotsTest, ShardsTakeTurns) {
  fill();
  for (int i = 0; i < 50; ++i) {
    ASSERT_TRUE(wait(0, Priority::kNormal));
  }
  ASSERT_TRUE(wait(3, Priority::kNormal));
  bool served = false;
  for (int i = 0; i < 4 && !served; ++i) {
    served = slots_.give_back(kMax)->shard == 3;
  }
  EXPECT_TRUE(served);
}

TEST_F(SharedSlotsTest, OnlySoManyWait) {
  fill();
  EXPECT_TRUE(wait(0, Priority::kNormal, 2));
  EXPECT_TRUE(wait(1, Priority::kHigh, 2));
  EXPECT_FALSE(wait(2, Priority::kHigh, 2));
  EXPECT_EQ(slots_.waiting(), 2U);
}

TEST_F(SharedSlotsTest, WhoBeginsToWaitSeesASlotThatBecameFree) {
  ASSERT_TRUE(wait(2, Priority::kLow));
  ASSERT_TRUE(granted_.has_value());
  EXPECT_EQ(granted_->shard, 2U);
  EXPECT_EQ(granted_->priority, Priority::kLow);
  EXPECT_EQ(slots_.taken(), 1U);
  EXPECT_EQ(slots_.waiting(), 0U);
}

TEST_F(SharedSlotsTest, WhoLeavesIsNotCountedAnyMore) {
  fill();
  ASSERT_TRUE(wait(0, Priority::kNormal));
  EXPECT_TRUE(slots_.leave({.shard = 0, .priority = Priority::kNormal}));
  EXPECT_EQ(slots_.give_back(kMax), std::nullopt);
  ASSERT_TRUE(wait(0, Priority::kNormal));
  EXPECT_TRUE(granted_.has_value());
  EXPECT_FALSE(slots_.leave({.shard = 0, .priority = Priority::kNormal}));  // it is on its way
}

TEST_F(SharedSlotsTest, ARaisedLimitLetsWaitingOnesIn) {
  fill();
  ASSERT_TRUE(wait(0, Priority::kNormal));
  ASSERT_TRUE(wait(1, Priority::kNormal));
  EXPECT_TRUE(slots_.grant_free(kMax + 1).has_value());
  EXPECT_FALSE(slots_.grant_free(kMax + 1).has_value());
}

TEST_F(SharedSlotsTest, ALoweredLimitLetsNobodyInUntilEnoughHaveLeft) {
  fill();
  ASSERT_TRUE(wait(0, Priority::kNormal));
  EXPECT_EQ(slots_.give_back(1), std::nullopt);
  EXPECT_EQ(slots_.give_back(1), std::nullopt);
  EXPECT_TRUE(slots_.give_back(1).has_value());
}

/// Threads that take, wait and give back: never more than there are, and nobody is forgotten.
TEST_F(SharedSlotsTest, HoldsWithManyThreads) {
  constexpr uint32_t kThreads = 4;
  constexpr int kRounds = 3000;
  std::atomic<uint32_t> inside{0};
  std::atomic<uint32_t> most{0};
  std::array<std::atomic<uint32_t>, kThreads> mail{};
  const auto deliver = [&](const std::optional<Grant>& grant) {
    if (grant) {
      mail[grant->shard].fetch_add(1);
    }
  };
  std::vector<std::thread> threads;
  for (uint32_t shard = 0; shard < kThreads; ++shard) {
    threads.emplace_back([&, shard] {
      for (int round = 0; round < kRounds; ++round) {
        if (!slots_.take(2)) {
          std::optional<Grant> grant;
          ASSERT_TRUE(slots_.wait({.shard = shard}, 2, 100, grant));
          deliver(grant);
          while (mail[shard].load() == 0) {
            std::this_thread::yield();
          }
          mail[shard].fetch_sub(1);
        }
        const uint32_t now = inside.fetch_add(1) + 1;
        uint32_t before = most.load();
        while (now > before && !most.compare_exchange_weak(before, now)) {
        }
        inside.fetch_sub(1);
        deliver(slots_.give_back(2));
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_LE(most.load(), 2U);
  EXPECT_EQ(slots_.taken(), 0U);
  EXPECT_EQ(slots_.waiting(), 0U);
}

TEST(ConnectionBudgetTest, CountsAgainstALimitThatMayChange) {
  ConnectionBudget budget;
  EXPECT_TRUE(budget.take(0));
  EXPECT_TRUE(budget.take(2));
  EXPECT_FALSE(budget.take(2));
  EXPECT_EQ(budget.taken(), 2U);
  budget.give_back();
  EXPECT_TRUE(budget.take(2));
  budget.take_anyway();
  EXPECT_EQ(budget.taken(), 3U);
}

}  // namespace
}  // namespace hangu::policy
