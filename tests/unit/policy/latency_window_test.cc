#include "hangu/policy/latency_window.h"

#include <algorithm>
#include <random>

#include <gtest/gtest.h>

#include "hangu/policy/hedge_budget.h"

namespace hangu::policy {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr TimePoint kStart{std::chrono::hours(1)};

TEST(LatencyWindowTest, HasNoQuantileOfTooFew) {
  LatencyWindow window;
  for (uint32_t i = 0; i + 1 < LatencyWindow::kLeast; ++i) {
    window.record(milliseconds(5), kStart);
  }
  EXPECT_EQ(window.quantile(95, kStart), Duration::zero());
  window.record(milliseconds(5), kStart);
  EXPECT_NE(window.quantile(95, kStart + LatencyWindow::kRefresh), Duration::zero());
}

TEST(LatencyWindowTest, IsRightUpToAnEighth) {
  std::mt19937_64 random(7);  // NOLINT(cert-msc51-cpp): the same numbers in every run
  std::lognormal_distribution<double> latencies(8.0, 1.2);
  LatencyWindow window;
  std::vector<double> all;
  for (int i = 0; i < 5000; ++i) {
    all.push_back(latencies(random));
    window.record(microseconds(static_cast<int64_t>(all.back())), kStart);
  }
  std::sort(all.begin(), all.end());
  TimePoint now = kStart;
  for (const uint32_t percent : {50U, 90U, 95U, 99U}) {
    now += LatencyWindow::kRefresh;
    const double exact = all[all.size() * percent / 100];
    const auto found = static_cast<double>(window.quantile(percent, now) / microseconds(1));
    EXPECT_GE(found, exact * 0.99) << percent;
    EXPECT_LE(found, exact * 1.13) << percent;
  }
}

TEST(LatencyWindowTest, ForgetsWhatWas) {
  LatencyWindow window;
  TimePoint now = kStart;
  for (int i = 0; i < 1000; ++i) {
    window.record(seconds(2), now);
  }
  for (int period = 0; period < 8; ++period) {
    now += LatencyWindow::kHalving;
    for (int i = 0; i < 1000; ++i) {
      window.record(milliseconds(1), now);
    }
  }
  EXPECT_LT(window.quantile(95, now), milliseconds(2));
  EXPECT_EQ(window.quantile(99, now + LatencyWindow::kHalving * 100), Duration::zero());
}

TEST(LatencyWindowTest, TakesAnyLatency) {
  LatencyWindow window;
  for (uint32_t i = 0; i < LatencyWindow::kLeast; ++i) {
    window.record(i % 2 == 0 ? Duration(-5) : Duration(std::chrono::hours(100)), kStart);
  }
  EXPECT_GE(window.quantile(99, kStart + seconds(1)), seconds(134));
  EXPECT_LE(window.quantile(50, kStart + seconds(2)), microseconds(1));
}

TEST(HedgeBudgetTest, IsAShareOfTheRequests) {
  HedgeBudget budget;
  int hedges = 0;
  for (int i = 0; i < 10'000; ++i) {
    budget.add_request(5);
    hedges += budget.take() ? 1 : 0;
  }
  EXPECT_EQ(hedges, 500);
}

TEST(HedgeBudgetTest, DoesNotSaveUpMoreThanABurst) {
  HedgeBudget budget;
  EXPECT_FALSE(budget.take());
  for (int i = 0; i < 10'000; ++i) {
    budget.add_request(100);
  }
  uint32_t hedges = 0;
  while (budget.take()) {
    ++hedges;
  }
  EXPECT_EQ(hedges, HedgeBudget::kBurst);
}

/// In no stretch of requests more than their share and a burst.
TEST(HedgeBudgetTest, KeepsToItsShareInEveryStretch) {
  std::mt19937 random(3);
  HedgeBudget budget;
  int64_t hundredths = 0;  // second tries, less what requests have earned
  int64_t least = 0;
  int taken = 0;
  uint32_t requests_percent = 70;
  for (int i = 0; i < 100'000; ++i) {
    requests_percent = i % 200 == 0 ? static_cast<uint32_t>(random() % 101) : requests_percent;
    if (random() % 100 < requests_percent) {
      const auto percent = static_cast<uint32_t>(random() % 30);
      budget.add_request(percent);
      hundredths -= percent;
      least = std::min(least, hundredths);
    } else if (budget.take()) {
      ++taken;
      hundredths += 100;
      ASSERT_LE(hundredths - least, 100 * int64_t{HedgeBudget::kBurst});
      ASSERT_LE(hundredths, 0);
    }
  }
  EXPECT_GT(taken, 2000);
}

}  // namespace
}  // namespace hangu::policy
