// The choices among endpoints: Maglev, the better of two, latencies, ejection.
#include <cmath>
#include <map>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "hangu/policy/choice.h"
#include "hangu/policy/endpoint_health.h"
#include "hangu/policy/maglev.h"
#include "hangu/policy/peak_ewma.h"

namespace hangu::policy {
namespace {

constexpr int64_t kSecond = 1'000'000'000;

const auto kAll = [](size_t) { return true; };

TEST(NextUsable, GoesAround) {
  EXPECT_EQ(next_usable(3, 1, kAll), 1U);
  EXPECT_EQ(next_usable(3, 2, [](size_t at) { return at == 1; }), 1U);
  EXPECT_EQ(next_usable(3, 0, [](size_t) { return false; }), std::nullopt);
}

TEST(BetterOfTwo, IsEvenAmongEquals) {
  std::mt19937_64 random(1);
  std::vector<int> hits(5);
  constexpr int kRequests = 50'000;
  for (int i = 0; i < kRequests; ++i) {
    ++hits[*better_of_two(5, random(), kAll, [](size_t) { return 0; })];
  }
  // Five standard deviations of a binomial distribution.
  const double allowed = 5 * std::sqrt(kRequests * 0.2 * 0.8);
  for (const int hit : hits) {
    EXPECT_NEAR(hit, kRequests / 5, allowed);
  }
}

/// Requests that never end: the most loaded is hardly above the mean.
TEST(BetterOfTwo, LevelsTheLoad) {
  std::mt19937_64 random(2);
  std::vector<int> load(50);
  for (int i = 0; i < 5000; ++i) {
    ++load[*better_of_two(load.size(), random(), kAll, [&](size_t at) { return load[at]; })];
  }
  EXPECT_LE(*std::max_element(load.begin(), load.end()), 105);
  EXPECT_GE(*std::min_element(load.begin(), load.end()), 90);
}

TEST(BetterOfTwo, LeavesOutWhatIsNotUsable) {
  std::mt19937_64 random(3);
  for (int i = 0; i < 1000; ++i) {
    const auto usable = [](size_t at) { return at == 1 || at == 3; };
    const auto picked = better_of_two(4, random(), usable, [](size_t at) { return at; });
    ASSERT_TRUE(picked == 1U || picked == 3U);
    EXPECT_EQ(better_of_two(
                  4, random(), [](size_t) { return false; }, kAll),
              std::nullopt);
    EXPECT_EQ(better_of_two(1, random(), kAll, kAll), 0U);
  }
}

std::vector<std::string> names(size_t count) {
  std::vector<std::string> out;
  for (size_t i = 0; i < count; ++i) {
    out.push_back("10.0.0." + std::to_string(i) + ":80");
  }
  return out;
}

Maglev table_of(const std::vector<std::string>& names) {
  return Maglev(std::vector<std::string_view>(names.begin(), names.end()));
}

TEST(Maglev, SharesEvenly) {
  const std::vector<std::string> endpoints = names(7);
  const Maglev table = table_of(endpoints);
  std::map<size_t, size_t> entries;
  for (size_t i = 0; i < Maglev::kEntries; ++i) {
    ++entries[table.at(i)];
  }
  for (const auto& [index, count] : entries) {
    EXPECT_NEAR(static_cast<double>(count), Maglev::kEntries / 7.0, 2);
  }
}

TEST(Maglev, MovesFewWhenOneGoes) {
  std::vector<std::string> endpoints = names(10);
  const Maglev before = table_of(endpoints);
  endpoints.pop_back();
  const Maglev after = table_of(endpoints);
  size_t moved = 0;
  for (size_t i = 0; i < Maglev::kEntries; ++i) {
    moved += before.at(i) != 9 && before.at(i) != after.at(i) ? 1 : 0;
  }
  EXPECT_LE(moved, Maglev::kEntries / 20);
}

TEST(Maglev, DoesNotDependOnTheOrder) {
  std::vector<std::string> endpoints = names(5);
  const Maglev one = table_of(endpoints);
  std::reverse(endpoints.begin(), endpoints.end());
  const Maglev other = table_of(endpoints);
  for (size_t i = 0; i < Maglev::kEntries; i += 97) {
    EXPECT_EQ(one.at(i), 4 - other.at(i));
  }
}

TEST(Maglev, SkipsWhatIsNotUsable) {
  const Maglev table = table_of(names(3));
  for (size_t i = 0; i < Maglev::kEntries; i += 101) {
    const size_t home = table.at(i);
    EXPECT_NE(table.at(i, [&](size_t at) { return at != home; }), home);
    EXPECT_EQ(table.at(i, kAll), home);
    EXPECT_EQ(table.at(i, [](size_t) { return false; }), home);
  }
}

TEST(PeakEwma, BelievesTheWorstAndForgets) {
  PeakEwma average;
  EXPECT_EQ(average.cost(0, kSecond), 0);
  EXPECT_GT(average.cost(1, kSecond), 1e12);
  average.observe(1e6, kSecond);
  EXPECT_NEAR(average.cost(0, kSecond), 1e6, 2);
  EXPECT_NEAR(average.cost(3, kSecond), 4e6, 8);
  average.observe(50e6, 2 * kSecond);
  EXPECT_NEAR(average.cost(0, 2 * kSecond), 50e6, 2);
  average.observe(1e6, 3 * kSecond);
  EXPECT_GT(average.cost(0, 3 * kSecond), 30e6);
  EXPECT_LT(average.cost(0, 100 * kSecond), 1e4);
}

TEST(EndpointHealth, EjectsForLongerEachTime) {
  config::Ejection options;
  EndpointHealth health;
  int64_t now = 1000 * kSecond;
  EXPECT_TRUE(health.usable(now));
  for (int i = 0; i < 4; ++i) {
    EXPECT_FALSE(health.failed(5));
  }
  health.succeeded();
  for (int i = 0; i < 4; ++i) {
    EXPECT_FALSE(health.failed(5));
  }
  EXPECT_TRUE(health.failed(5));
  EXPECT_EQ(health.eject(options, 0, now), 30 * kSecond);
  EXPECT_EQ(health.eject(options, 0, now), 0);
  EXPECT_FALSE(health.usable(now + 29 * kSecond));
  EXPECT_EQ(health.ejected_for_ns(now + 29 * kSecond), kSecond);
  now += 30 * kSecond;
  EXPECT_TRUE(health.usable(now));
  EXPECT_EQ(health.eject(options, 0, now), 60 * kSecond);
  now += 60 * kSecond;
  EXPECT_EQ(health.eject(options, 1, now), 99 * kSecond);
  now += 1000 * kSecond;  // well for long
  EXPECT_EQ(health.eject(options, 0, now), 30 * kSecond);
  for (int i = 0; i < 20; ++i) {
    now += 301 * kSecond;
    EXPECT_LE(health.eject(options, 0, now), 300 * kSecond);
  }
}

}  // namespace
}  // namespace hangu::policy
