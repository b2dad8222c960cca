// What is decided over the endpoints of an upstream as a whole: priorities, panic, slow start,
// subsets, outliers, and what health checks add up to.
#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "hangu/policy/check_streak.h"
#include "hangu/policy/outliers.h"
#include "hangu/policy/priority_levels.h"
#include "hangu/policy/slow_start.h"
#include "hangu/policy/subset.h"

namespace hangu::policy {
namespace {

constexpr int64_t kSecond = 1'000'000'000;

using Check = EndpointHealth::Check;

/// `well` of `count` endpoints for each priority in turn.
std::vector<PriorityLevel> levels(const std::vector<std::pair<int, int>>& well_of_count,
                                  uint32_t panic_percent = 50) {
  std::vector<LevelMember> members;
  for (size_t priority = 0; priority < well_of_count.size(); ++priority) {
    const auto [well, count] = well_of_count[priority];
    for (int i = 0; i < count; ++i) {
      members.push_back({.priority = static_cast<uint32_t>(priority), .well = i < well});
    }
  }
  std::reverse(members.begin(), members.end());
  return priority_levels(members, panic_percent);
}

std::vector<uint32_t> loads(const std::vector<PriorityLevel>& all) {
  std::vector<uint32_t> out;
  for (const PriorityLevel& level : all) {
    out.push_back(level.load_percent);
  }
  return out;
}

TEST(PriorityLevels, TheNextOneTakesWhatTheFirstCannot) {
  using Loads = std::vector<uint32_t>;
  EXPECT_EQ(loads(levels({{10, 10}, {10, 10}})), (Loads{100, 0}));
  EXPECT_EQ(loads(levels({{8, 10}, {10, 10}})), (Loads{100, 0}));  // overprovisioned
  EXPECT_EQ(loads(levels({{5, 10}, {10, 10}})), (Loads{70, 30}));
  EXPECT_EQ(loads(levels({{0, 10}, {10, 10}})), (Loads{0, 100}));
  EXPECT_EQ(loads(levels({{2, 10}, {5, 10}, {9, 10}})), (Loads{28, 70, 2}));
}

TEST(PriorityLevels, LoadsAddUpWhateverIsWell) {
  for (int a = 0; a <= 7; ++a) {
    for (int b = 0; b <= 5; ++b) {
      for (int c = 0; c <= 3; ++c) {
        uint32_t sum = 0;
        for (const uint32_t load : loads(levels({{a, 7}, {b, 5}, {c, 3}}))) {
          sum += load;
        }
        EXPECT_EQ(sum, 100U) << a << b << c;
      }
    }
  }
}

TEST(PriorityLevels, PanicsOnlyWhenNobodyElseCanTakeIt) {
  EXPECT_FALSE(levels({{1, 10}, {10, 10}})[0].panic);
  EXPECT_TRUE(levels({{4, 10}})[0].panic);
  EXPECT_FALSE(levels({{5, 10}})[0].panic);
  EXPECT_TRUE(levels({{0, 1}})[0].panic);
  const auto both = levels({{1, 10}, {3, 10}});
  EXPECT_TRUE(both[0].panic);
  EXPECT_TRUE(both[1].panic);
  EXPECT_EQ(loads(levels({{0, 3}, {0, 3}})), (std::vector<uint32_t>{100, 0}));
}

TEST(PriorityLevels, WithoutPanicNobodyIsAsked) {
  const auto none = levels({{0, 3}}, 0);
  EXPECT_FALSE(none[0].panic);
  EXPECT_EQ(none[0].load_percent, 0U);
  EXPECT_TRUE(priority_levels({}, 50).empty());
}

TEST(SlowStart, RampsUp) {
  config::SlowStart options;
  EXPECT_EQ(share_of(options, 5, 6), kFullShare);
  options.window = std::chrono::seconds(100);
  EXPECT_EQ(share_of(options, 0, kSecond), kFullShare);  // there from the beginning
  const int64_t since = 1000 * kSecond;
  EXPECT_EQ(share_of(options, since, since), 100U);
  EXPECT_EQ(share_of(options, since, since + 5 * kSecond), 100U);
  EXPECT_NEAR(share_of(options, since, since + 50 * kSecond), 500, 1);
  EXPECT_EQ(share_of(options, since, since + 100 * kSecond), kFullShare);
  uint32_t before = 0;
  for (int64_t second = 0; second <= 100; ++second) {
    const uint32_t share = share_of(options, since, since + second * kSecond);
    EXPECT_GE(share, before);
    before = share;
  }
  options.aggression = 2;
  EXPECT_NEAR(share_of(options, since, since + 25 * kSecond), 500, 1);
}

TEST(Subset, DividesThePoolAmongWorkers) {
  std::vector<std::string> text;
  for (int i = 0; i < 100; ++i) {
    text.push_back("10.0.0." + std::to_string(i) + ":80");
  }
  std::vector<std::string_view> names(text.begin(), text.end());
  std::map<size_t, int> uses;
  for (uint32_t worker = 0; worker < 10; ++worker) {
    const auto part = subset(names, 20, 7, worker);
    EXPECT_EQ(part.size(), 20U);
    EXPECT_EQ(part, subset(names, 20, 7, worker));
    EXPECT_TRUE(std::is_sorted(part.begin(), part.end()));
    for (const size_t index : part) {
      ++uses[index];
    }
  }
  EXPECT_EQ(uses.size(), 100U);
  for (const auto& [index, count] : uses) {
    EXPECT_EQ(count, 2) << index;
  }
  EXPECT_NE(subset(names, 20, 7, 0), subset(names, 20, 8, 0));
  EXPECT_EQ(subset(names, 0, 7, 0).size(), 100U);
  EXPECT_EQ(subset(names, 100, 7, 3).size(), 100U);
  // One endpoint less: few others come or go.
  const auto before = subset(names, 20, 7, 2);
  names.pop_back();
  const auto after = subset(names, 20, 7, 2);
  std::vector<size_t> changed;
  std::set_symmetric_difference(before.begin(), before.end(), after.begin(), after.end(),
                                std::back_inserter(changed));
  EXPECT_LE(changed.size(), 4U);
}

using Tallies = std::vector<EndpointHealth::Tally>;

TEST(Outliers, BySuccessRate) {
  config::Ejection options;
  options.success_rate.enabled = true;
  const Tallies tallies = {{200, 1}, {200, 2}, {200, 0}, {200, 1}, {200, 1}, {200, 60}};
  const auto found = outliers(options, tallies);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].index, 5U);
  EXPECT_DOUBLE_EQ(found[0].success_percent, 70);
  EXPECT_GT(found[0].least_percent, 70);
  const Tallies alike(6, {200, 100});
  EXPECT_TRUE(outliers(options, alike).empty());
  EXPECT_TRUE(outliers(options, Tallies(tallies.begin() + 2, tallies.end())).empty());  // four
  Tallies quiet = tallies;
  quiet[5].requests = 99;
  EXPECT_TRUE(outliers(options, quiet).empty());
}

TEST(Outliers, ByFailurePercentage) {
  config::Ejection options;
  options.failure_percentage = {
      .enabled = true, .endpoints_min = 2, .requests_min = 10, .threshold = 50};
  const Tallies tallies = {{10, 4}, {10, 5}, {10, 9}, {9, 9}, {0, 0}};
  const auto found = outliers(options, tallies);
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].index, 2U);  // the worst first
  EXPECT_EQ(found[1].index, 1U);
  EXPECT_TRUE(outliers({}, tallies).empty());
}

TEST(CheckStreak, TheFirstAnswerDecidesThenSeveral) {
  const config::HealthCheck options;
  CheckStreak bad;
  EXPECT_EQ(bad.add(options, false), Check::kBad);
  EXPECT_EQ(bad.add(options, true), Check::kBad);
  EXPECT_FALSE(bad.settled());
  EXPECT_EQ(bad.add(options, true), Check::kGood);
  EXPECT_TRUE(bad.settled());
  CheckStreak good;
  EXPECT_FALSE(good.settled());
  EXPECT_EQ(good.add(options, true), Check::kGood);
  EXPECT_EQ(good.add(options, false), Check::kGood);
  EXPECT_EQ(good.add(options, false), Check::kGood);
  EXPECT_EQ(good.add(options, true), Check::kGood);  // breaks the row
  EXPECT_EQ(good.add(options, false), Check::kGood);
  EXPECT_EQ(good.add(options, false), Check::kGood);
  EXPECT_EQ(good.add(options, false), Check::kBad);
}

}  // namespace
}  // namespace hangu::policy
