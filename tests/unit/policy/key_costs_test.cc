#include "hangu/policy/key_costs.h"

#include <map>
#include <random>
#include <utility>

#include <gtest/gtest.h>

namespace hangu::policy {
namespace {

TEST(KeyCosts, SumsUpByLimitAndKey) {
  KeyCosts costs;
  std::mt19937_64 random(3);
  for (int round = 0; round < 5; ++round) {
    std::map<std::pair<uint32_t, uint64_t>, uint64_t> expected;
    for (int i = 0; i < 5000; ++i) {
      const auto limit = static_cast<uint32_t>(random() % 3);
      const uint64_t key = random() % 700;
      const uint64_t cost = 1 + random() % 5;
      ASSERT_TRUE(costs.add(limit, key, cost, 10'000));
      expected[{limit, key}] += cost;
    }
    EXPECT_EQ(costs.size(), expected.size());
    std::map<std::pair<uint32_t, uint64_t>, uint64_t> taken;
    for (const KeyCosts::Entry& entry : costs.take()) {
      taken[{entry.limit, entry.key}] += entry.cost;
    }
    EXPECT_EQ(taken, expected);
    EXPECT_TRUE(costs.empty());
  }
}

TEST(KeyCosts, IsBounded) {
  KeyCosts costs;
  for (uint64_t key = 0; key < 100; ++key) {
    EXPECT_EQ(costs.add(0, key, 1, 50), key < 50);
  }
  EXPECT_TRUE(costs.add(0, 7, 1, 50));
  EXPECT_EQ(costs.size(), 50U);
}

}  // namespace
}  // namespace hangu::policy
