#include "hangu/policy/lockout_table.h"

#include <gtest/gtest.h>

namespace hangu::policy {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

constexpr LockoutTable::Rules kRules{.attempts = 3, .window = minutes(10)};
constexpr TimePoint kStart{std::chrono::hours(1)};

void fail(LockoutTable& table, uint64_t key, int times, TimePoint now = kStart) {
  for (int i = 0; i < times; ++i) {
    table.fail(key, kRules, now);
  }
}

TEST(LockoutTableTest, LocksAfterSoManyFailuresForTheWindow) {
  LockoutTable table(64);
  fail(table, 7, 2);
  EXPECT_EQ(table.locked_for(7, kRules, kStart), Duration::zero());
  fail(table, 7, 1, kStart + minutes(4));
  EXPECT_EQ(table.locked_for(7, kRules, kStart + minutes(5)), minutes(9));
  EXPECT_EQ(table.locked_for(7, kRules, kStart + minutes(14)), Duration::zero());
  EXPECT_EQ(table.locked_for(8, kRules, kStart), Duration::zero());
}

TEST(LockoutTableTest, ForgetsFailuresThatAreLongAgo) {
  LockoutTable table(64);
  fail(table, 7, 2);
  fail(table, 7, 2, kStart + minutes(11));
  EXPECT_EQ(table.locked_for(7, kRules, kStart + minutes(11)), Duration::zero());
  fail(table, 7, 1, kStart + minutes(12));
  EXPECT_GT(table.locked_for(7, kRules, kStart + minutes(12)), Duration::zero());
}

TEST(LockoutTableTest, ForgetsThemAfterASuccess) {
  LockoutTable table(64);
  fail(table, 7, 2);
  table.succeed(7);
  fail(table, 7, 2);
  EXPECT_EQ(table.locked_for(7, kRules, kStart), Duration::zero());
}

TEST(LockoutTableTest, KeepsTheLockedWhenOthersCrowdIn) {
  LockoutTable table(4);  // one set
  fail(table, 1, 3);
  for (uint64_t key = 2; key < 1000; ++key) {
    fail(table, key, 1, kStart + seconds(1));
  }
  EXPECT_GT(table.locked_for(1, kRules, kStart + seconds(2)), Duration::zero());
}

TEST(LockoutTableTest, KnowsNoLimitWithoutAttempts) {
  LockoutTable table(4);
  const LockoutTable::Rules none{.attempts = 0, .window = minutes(1)};
  for (int i = 0; i < 100; ++i) {
    table.fail(1, none, kStart);
  }
  EXPECT_EQ(table.locked_for(1, none, kStart), Duration::zero());
}

}  // namespace
}  // namespace hangu::policy
