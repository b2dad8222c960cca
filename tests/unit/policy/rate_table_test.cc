#include "hangu/policy/rate_table.h"

#include <atomic>
#include <memory>
#include <random>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "hangu/policy/rate_lease.h"

namespace hangu::policy {
namespace {

constexpr int64_t kSecond = 1'000'000'000;

template <class Table>
int allowed_at_once(Table& table, uint64_t key, const Gcra& rate, int64_t now_ns) {
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
    EXPECT_EQ(rate.many_of(decision.left_ns), left);
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
  EXPECT_EQ(rate.many_of(rate.decide(0, kSecond, 3).left_ns), 2U);
  EXPECT_TRUE(rate.decide(0, kSecond, 5).allowed);
  EXPECT_FALSE(rate.decide(0, kSecond, 6).allowed);
}

/// It never takes what the table would not, and of a key it finds it takes just that.
void takes_as_the_table_does(bool alone) {
  std::mt19937_64 random(5);
  const Gcra rate(100, kSecond, 8);
  RateTable quick_table(1000);
  RateTable table(1000);
  const RateTable::Quick quick(quick_table, rate, 2, alone);
  using Said = RateTable::Quick::Said;
  EXPECT_EQ(quick.take(quick.approach(1), 1, kSecond), Said::kUnknown);
  int quickly = 0;
  int refused = 0;
  int64_t now = kSecond;
  for (int i = 0; i < 20'000; ++i) {
    now += static_cast<int64_t>(random() % 3'000'000);
    const uint64_t key = random() % 20;
    const bool expected = table.take(key, rate, 2, now).decision.allowed;
    const Said said = quick.take(quick.approach(key), key, now);
    if (said == Said::kUnknown) {
      ASSERT_EQ(quick_table.take(key, rate, 2, now).decision.allowed, expected);
    } else {
      ASSERT_EQ(said == Said::kTaken, expected);
    }
    quickly += said == Said::kTaken ? 1 : 0;
    refused += expected ? 0 : 1;
  }
  EXPECT_GT(quickly, 5000);
  EXPECT_GT(refused, 500);
}

TEST(RateTableQuick, TakesAsTheTableDoes) {
  takes_as_the_table_does(false);
}

TEST(RateTableQuick, TakesAsTheTableDoesForOneThreadAlone) {
  takes_as_the_table_does(true);
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
                      seconds * 1e9 / static_cast<double>(rate.time_of(1)) + 1e-6);
      }
    }
  }
}

TEST(Gcra, CountsBytesWithoutRoundingThemAway) {
  const Gcra rate(700'000'000, kSecond, 1'000'000);  // an interval of 1.43 ns
  int64_t state = 0;
  uint64_t passed = 0;
  for (int64_t now = kSecond; now < 3 * kSecond; now += 5'000) {
    const Gcra::Decision decision = rate.decide(state, now, 5'000);
    state = decision.full_at_ns;
    passed += decision.allowed ? 5'000 : 0;
  }
  EXPECT_NEAR(static_cast<double>(passed), 1.4e9, 3e6);
}

TEST(Gcra, AChargeMayPutIntoDebtThatIsPaidByWaiting) {
  const Gcra rate(10, kSecond, 5);
  const int64_t state = rate.charge(0, kSecond, 25);  // 20 more than there are
  EXPECT_FALSE(rate.decide(state, kSecond, 1).allowed);
  EXPECT_EQ(rate.decide(state, kSecond, 1).retry_in_ns, 21 * kSecond / 10);
  EXPECT_TRUE(rate.decide(state, kSecond + 21 * kSecond / 10, 1).allowed);
  EXPECT_GT(rate.charge(state, kSecond, UINT64_MAX), kSecond);  // no overflow
}

TEST(Gcra, WhatWasTakenStaysTakenWhenTheRateChanges) {
  const Gcra slow(1, 3600 * kSecond, 10);
  const Gcra fast(100, kSecond, 10);
  const int64_t state = slow.charge(0, kSecond, 7);
  const int64_t rescaled = fast.rescale(state, kSecond, slow);
  EXPECT_EQ(fast.many_of(fast.decide(rescaled, kSecond, 1).left_ns), 2U);
  const int64_t back = slow.rescale(rescaled, kSecond, fast);
  EXPECT_EQ(slow.many_of(slow.decide(back, kSecond, 1).left_ns), 2U);
  const int64_t later = kSecond + 1'000'000;  // a part of a request has come back
  EXPECT_NEAR(static_cast<double>(fast.rescale(state, later, slow) - later), 7e7, 1e3);
}

TEST(RateTable, RescalesAllBuckets) {
  RateTable table(100);
  const Gcra slow(1, 3600 * kSecond, 10);
  const Gcra fast(1, kSecond, 10);
  constexpr uint64_t kSpread = 0x9E3779B97F4A7C15;
  for (uint64_t key = 1; key < 50; ++key) {
    ASSERT_TRUE(table.take(key * kSpread, slow, key % 10 + 1, kSecond).decision.allowed);
  }
  table.rescale(slow, fast, kSecond);
  for (uint64_t key = 1; key < 50; ++key) {
    EXPECT_EQ(allowed_at_once(table, key * kSpread, fast, kSecond), 9 - static_cast<int>(key % 10));
  }
}

TEST(RateTable, RaisesButNeverLowers) {
  RateTable table(100);
  const Gcra rate(1, kSecond, 10);
  table.raise(7, 5 * kSecond, kSecond);
  EXPECT_EQ(rate.many_of(table.probe(7, rate, 0, kSecond).decision.left_ns), 6U);
  table.raise(7, 3 * kSecond, kSecond);
  EXPECT_EQ(allowed_at_once(table, 7, rate, kSecond), 6);
}

TEST(ShardRateTable, CountsAsTheSharedOneDoes) {
  RateTable shared(1000);
  ShardRateTable own(1000);
  const Gcra rate(50, kSecond, 4);
  std::mt19937_64 random(3);
  int64_t now = kSecond;
  for (int i = 0; i < 100'000; ++i) {
    now += static_cast<int64_t>(random() % 100'000);
    const uint64_t key = (random() % 3000) << 33;
    const uint64_t cost = 1 + random() % 3;
    const auto one = shared.take(key, rate, cost, now);
    const auto other = own.take(key, rate, cost, now);
    ASSERT_EQ(one.decision.allowed, other.decision.allowed);
    ASSERT_EQ(one.decision.full_at_ns, other.decision.full_at_ns);
    ASSERT_EQ(one.shared, other.shared);
  }
}

TEST(RateLeases, ABatchIsAHundredthOfASecond) {
  EXPECT_EQ(lease_batch(100, kSecond), 1U);
  EXPECT_EQ(lease_batch(1'000, kSecond), 10U);
  EXPECT_EQ(lease_batch(1'000'000, kSecond), kLeaseMax);
  EXPECT_EQ(lease_batch(60'000, 60 * kSecond), 10U);
  EXPECT_EQ(lease_batch(1, 3600 * kSecond), 1U);
}

/// What docs/traffic.md promises: in any window at most burst + rate·t + shards·(batch - 1).
TEST(RateLeases, OvershootIsBounded) {
  std::mt19937_64 random(11);
  for (int run = 0; run < 40; ++run) {
    const uint64_t count = 1000 + random() % 20'000;
    const uint64_t burst = 64 + random() % 500;
    const size_t shards = 1 + random() % 8;
    const uint64_t batch = lease_batch(count, kSecond);
    const Gcra rate(count, kSecond, burst);
    RateTable table(100);
    std::vector<RateLeases> leases(shards);
    std::vector<std::pair<int64_t, uint64_t>> passed;  // when, how much until then
    uint64_t sum = 0;
    int64_t now = kSecond;
    for (int i = 0; i < 4000; ++i) {
      // Now and then a pause in which the bucket fills, then all at once.
      now += random() % 500 == 0 ? kSecond : static_cast<int64_t>(random() % 50'000);
      const uint64_t cost = 1 + random() % 3;
      RateLeases& own = leases[random() % shards];
      if (own.take(table, {5, cost, batch}, rate, now).decision.allowed) {
        passed.emplace_back(now, sum);
        sum += cost;
      }
    }
    passed.emplace_back(now, sum);
    for (size_t first = 0; first < passed.size(); first += 17) {
      for (size_t last = first + 1; last < passed.size(); last += 13) {
        const double seconds = static_cast<double>(passed[last].first - passed[first].first) / 1e9;
        const double most = static_cast<double>(burst) + seconds * static_cast<double>(count) +
                            static_cast<double>(shards * (batch - 1));
        ASSERT_LE(static_cast<double>(passed[last].second - passed[first].second), most + 3.1);
      }
    }
  }
}

TEST(RateLeases, ACrowdOfKeysGivesItsStockBack) {
  RateTable table(100'000);
  RateLeases leases;
  const Gcra rate(10'000, kSecond, 64);
  std::mt19937_64 random(13);
  ASSERT_TRUE(leases.take(table, {1, 1, 64}, rate, kSecond).decision.allowed);
  EXPECT_EQ(rate.many_of(table.probe(1, rate, 0, kSecond).decision.left_ns), 0U);
  for (int i = 0; i < 10'000; ++i) {
    leases.take(table, {random(), 1, 64}, rate, kSecond);
  }
  EXPECT_EQ(rate.many_of(table.probe(1, rate, 0, kSecond).decision.left_ns), 63U);
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

/// Nodes that count by themselves and exchange what they have taken every 100 ms: the bound that
/// docs/traffic.md gives for `mode: sync`.
TEST(RateTable, NodesThatHearOfEachOtherLateKeepTheRateInTheLongRun) {
  constexpr int64_t kInterval = kSecond / 10;
  std::mt19937_64 random(17);
  for (int run = 0; run < 20; ++run) {
    const size_t nodes = 2 + random() % 5;
    const uint64_t count = 10 + random() % 500;
    const uint64_t burst = 1 + random() % 300;
    const Gcra rate(count, kSecond, burst);
    std::vector<std::unique_ptr<RateTable>> tables;
    for (size_t i = 0; i < nodes; ++i) {
      tables.push_back(std::make_unique<RateTable>(10));
    }
    std::vector<uint64_t> untold(nodes);
    int64_t store = 0;
    std::vector<std::pair<int64_t, uint64_t>> passed = {{kSecond, 0}};
    uint64_t sum = 0;
    int64_t now = kSecond;
    for (int round = 0; round < 600; ++round) {
      const size_t favourite = random() % (2 * nodes);  // none of them half of the time
      for (int i = 0; i < 200; ++i) {
        now += kInterval / 200;
        const size_t node = favourite < nodes ? favourite : random() % nodes;
        if (tables[node]->take(9, rate, 1, now).decision.allowed) {
          ++untold[node];
          passed.emplace_back(now, ++sum);
        }
      }
      for (size_t node = 0; node < nodes; ++node) {
        if (untold[node] != 0) {
          store = rate.charge(store, now, std::exchange(untold[node], 0));
          tables[node]->raise(9, store, now);
        }
      }
    }
    const double slack = static_cast<double>(nodes + 1) *
                         (static_cast<double>(burst) + static_cast<double>(count) / 10);
    for (size_t first = 0; first < passed.size(); first += 97) {
      for (size_t last = first; last < passed.size(); last += 89) {
        const double seconds = static_cast<double>(passed[last].first - passed[first].first) / 1e9;
        ASSERT_LE(static_cast<double>(passed[last].second - passed[first].second),
                  slack + seconds * static_cast<double>(count) + 1);
      }
    }
  }
}

}  // namespace
}  // namespace hangu::policy
