#include "hangu/policy/in_flight_table.h"

#include <algorithm>
#include <random>
#include <thread>
#include <unordered_map>
#include <vector>

#include <gtest/gtest.h>

namespace hangu::policy {
namespace {

TEST(InFlightTable, CountsUpToTheLimitAndBack) {
  InFlightTable table(100);
  const uint64_t key = 0x123456789abcdef0;
  std::vector<InFlightTable::Place*> taken;
  for (int i = 0; i < 3; ++i) {
    const InFlightTable::Taken one = table.take(key, 3);
    ASSERT_NE(one.place, nullptr);
    EXPECT_FALSE(one.shared);
    taken.push_back(one.place);
  }
  EXPECT_EQ(table.take(key, 3).place, nullptr);
  EXPECT_EQ(table.count(key), 3U);
  InFlightTable::give_back(*taken.back());
  EXPECT_EQ(table.count(key), 2U);
  EXPECT_NE(table.take(key, 3).place, nullptr);
}

TEST(InFlightTable, ALowerLimitHoldsForWhatIsUnderWay) {
  InFlightTable table(100);
  for (int i = 0; i < 5; ++i) {
    ASSERT_NE(table.take(7ULL << 32, 10).place, nullptr);
  }
  EXPECT_EQ(table.take(7ULL << 32, 4).place, nullptr);
  EXPECT_NE(table.take(7ULL << 32, 6).place, nullptr);
}

/// Against a map, at random, with keys that come and go: nothing is lost and nothing counted twice.
TEST(InFlightTable, CountsAsAMapDoes) {
  constexpr uint32_t kLimit = 5;
  InFlightTable table(1000);
  std::mt19937_64 random(4);
  std::vector<uint64_t> keys(500);
  std::generate(keys.begin(), keys.end(), random);
  std::unordered_map<uint64_t, std::vector<InFlightTable::Place*>> held;
  for (int i = 0; i < 200'000; ++i) {
    const uint64_t key = keys[random() % keys.size()];
    std::vector<InFlightTable::Place*>& own = held[key];
    if (random() % 2 == 0) {
      const InFlightTable::Taken taken = table.take(key, kLimit);
      ASSERT_FALSE(taken.shared);
      ASSERT_EQ(taken.place != nullptr, own.size() < kLimit);
      if (taken.place != nullptr) {
        own.push_back(taken.place);
      }
    } else if (!own.empty()) {
      InFlightTable::give_back(*own.back());
      own.pop_back();
    }
    ASSERT_EQ(table.count(key), own.size());
  }
}

TEST(InFlightTable, KeysWithoutAPlaceShareACount) {
  InFlightTable table(1);  // the least there is
  std::mt19937_64 random(9);
  std::vector<InFlightTable::Place*> held;
  size_t shared = 0;
  size_t refused = 0;
  for (size_t i = 0; i < table.places() * 4; ++i) {
    const InFlightTable::Taken taken = table.take(random(), 10);
    shared += taken.shared ? 1 : 0;
    refused += taken.place == nullptr ? 1 : 0;
    if (taken.place != nullptr) {
      held.push_back(taken.place);
    }
  }
  EXPECT_LE(held.size(), table.places() + 10);
  EXPECT_EQ(shared, refused + 10);
  std::for_each(held.begin(), held.end(),
                [](InFlightTable::Place* place) { InFlightTable::give_back(*place); });
  // All is free again.
  const InFlightTable::Taken taken = table.take(random(), 1);
  EXPECT_NE(taken.place, nullptr);
  EXPECT_FALSE(taken.shared);
}

TEST(InFlightTable, ThreadsExceedTheLimitOnlyByTheirNumber) {
  constexpr uint32_t kLimit = 4;
  constexpr int kThreads = 4;
  InFlightTable table(100);
  std::atomic<int> under_way{0};
  std::atomic<int> most{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 20'000; ++i) {
        const InFlightTable::Taken taken = table.take(42ULL << 40, kLimit);
        if (taken.place == nullptr) {
          continue;
        }
        const int now = under_way.fetch_add(1) + 1;
        int seen = most.load();
        while (now > seen && !most.compare_exchange_weak(seen, now)) {
        }
        under_way.fetch_sub(1);
        InFlightTable::give_back(*taken.place);
      }
    });
  }
  std::for_each(threads.begin(), threads.end(), [](std::thread& thread) { thread.join(); });
  EXPECT_LE(most.load(), static_cast<int>(kLimit) + kThreads - 1);
  EXPECT_EQ(table.count(42ULL << 40), 0U);
}

}  // namespace
}  // namespace hangu::policy
