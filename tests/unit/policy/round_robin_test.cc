#include "hangu/policy/round_robin.h"

#include <vector>

#include <gtest/gtest.h>

namespace hangu::policy {
namespace {

TEST(RoundRobin, TakesTurns) {
  RoundRobin turn;
  std::vector<size_t> taken;
  for (int i = 0; i < 7; ++i) {
    taken.push_back(turn.next(3));
  }
  EXPECT_EQ(taken, (std::vector<size_t>{0, 1, 2, 0, 1, 2, 0}));
}

TEST(RoundRobin, FollowsAChangingCount) {
  RoundRobin turn;
  for (int i = 0; i < 4; ++i) {
    turn.next(5);
  }
  EXPECT_EQ(turn.next(2), 0U);  // four are gone, and it was at the fifth
  EXPECT_EQ(turn.next(2), 1U);
  EXPECT_EQ(turn.next(4), 2U);
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(turn.next(1), 0U);
  }
}

}  // namespace
}  // namespace hangu::policy
