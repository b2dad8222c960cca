// What is decided over the endpoints of an upstream as a whole: priorities, panic, slow start,
// subsets, outliers, and what health checks add up to.
#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <string>
#include <utility>
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

uint32_t below(std::mt19937& random, uint64_t limit) {
  return static_cast<uint32_t>(random() % limit);
}

/// 0 … 12 endpoints for each of some priorities, now and then a crowd, of which one may be well.
std::vector<LevelMember> random_members(std::mt19937& random) {
  std::vector<LevelMember> members;
  const uint32_t priorities = 1 + below(random, 5);
  for (uint32_t priority = 0; priority < priorities; ++priority) {
    const uint32_t count = below(random, below(random, 10) == 0 ? 300 : 13);
    const uint32_t well_percent =
        below(random, 3) == 0 ? below(random, 3) * 50 : below(random, 101);
    const bool one = below(random, 5) == 0;
    for (uint32_t i = 0; i < count; ++i) {
      const bool well = one ? i == 0 : below(random, 100) < well_percent;
      members.push_back({.priority = 10 * priority, .well = well});
    }
  }
  std::shuffle(members.begin(), members.end(), random);
  return members;
}

/// 140 % of its health, at most all.
double able_percent(const PriorityLevel& level) {
  return std::min(140.0 * level.well / level.endpoints, 100.0);
}

TEST(PriorityLevels, HoldsWhateverIsWell) {
  std::mt19937 random(1);
  for (int i = 0; i < 10'000; ++i) {
    const uint32_t panic_percent = below(random, 4) == 0 ? 0 : below(random, 101);
    const std::vector<LevelMember> members = random_members(random);
    const auto all = priority_levels(members, panic_percent);
    SCOPED_TRACE(testing::PrintToString(loads(all)));
    uint32_t sum = 0;
    double able = 0;
    size_t endpoints = 0;
    uint32_t well = 0;
    bool panic = false;
    for (const PriorityLevel& level : all) {
      sum += level.load_percent;
      able += able_percent(level);
      endpoints += level.endpoints;
      well += level.well;
      panic = panic || level.panic;
    }
    ASSERT_EQ(endpoints, members.size());
    ASSERT_EQ(sum, well != 0 || (panic_percent != 0 && !members.empty()) ? 100U : 0U);
    const bool suffices = able >= 100 + static_cast<double>(all.size());  // whatever is rounded off
    ASSERT_FALSE(panic && suffices);
    bool before_are_full = true;
    for (const PriorityLevel& level : all) {
      if (well != 0 && level.well == 0) {
        ASSERT_EQ(level.load_percent, 0U);
      }
      if (suffices) {
        ASSERT_TRUE(before_are_full || level.load_percent == 0);
        ASSERT_LE(level.load_percent, std::max(able_percent(level), 1.0));
        before_are_full = before_are_full && level.load_percent + 1 > able_percent(level);
      } else if (panic) {
        ASSERT_EQ(level.panic, level.well * 100 < panic_percent * level.endpoints);
      }
    }
  }
}

TEST(PriorityLevels, OneMoreThatIsWellTakesNoLoadFromItsOwn) {
  std::mt19937 random(2);
  for (int i = 0; i < 10'000; ++i) {
    std::vector<LevelMember> members = random_members(random);
    const auto before = priority_levels(members, 50);
    const auto sick = std::find_if(members.begin(), members.end(),
                                   [](const LevelMember& member) { return !member.well; });
    if (sick == members.end()) {
      continue;
    }
    sick->well = true;
    const auto after = priority_levels(members, 50);
    for (size_t level = 0; level < before.size(); ++level) {
      if (before[level].priority == sick->priority) {
        ASSERT_GE(after[level].load_percent, before[level].load_percent);
      } else if (before[level].priority > sick->priority) {
        ASSERT_LE(after[level].load_percent, before[level].load_percent);
      }
    }
  }
}

TEST(PriorityLevels, OneOfACrowdThatIsWellIsUsed) {
  EXPECT_EQ(loads(levels({{1, 1000}}, 0)), (std::vector<uint32_t>{100}));
  EXPECT_EQ(loads(levels({{0, 10}, {1, 1000}})), (std::vector<uint32_t>{0, 100}));
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

/// Endpoints that had few or many requests, of which few or many failed; several are alike.
Tallies random_tallies(std::mt19937& random) {
  Tallies tallies(below(random, 30));
  const uint32_t failing_percent = below(random, 101);
  for (EndpointHealth::Tally& tally : tallies) {
    if (!tallies.empty() && below(random, 4) == 0) {
      tally = tallies[below(random, tallies.size())];
      continue;
    }
    tally.requests = below(random, below(random, 2) == 0 ? 1000 : 100);
    const uint32_t most =
        below(random, 4) == 0 ? tally.requests : tally.requests * failing_percent / 100;
    tally.failures = most == 0 ? 0 : below(random, most + 1);
  }
  return tallies;
}

/// Whether `a` was worse than `b`, without rounding.
bool worse(const EndpointHealth::Tally& a, const EndpointHealth::Tally& b) {
  return uint64_t{a.failures} * b.requests > uint64_t{b.failures} * a.requests;
}

std::set<size_t> indices(const std::vector<Outlier>& found) {
  std::set<size_t> out;
  for (const Outlier& each : found) {
    EXPECT_TRUE(out.insert(each.index).second) << "twice";
    EXPECT_LE(each.success_percent, each.least_percent + 1e-9);
  }
  return out;
}

TEST(Outliers, ByFailurePercentageIsExact) {
  std::mt19937 random(3);
  for (int i = 0; i < 20'000; ++i) {
    config::Ejection options;
    config::FailurePercentage& by = options.failure_percentage;
    by = {.enabled = true,
          .endpoints_min = 2 + below(random, 9),
          .requests_min = 1 + below(random, 100),
          .threshold = 1 + below(random, 100)};
    Tallies tallies = random_tallies(random);
    tallies.push_back({.requests = 100, .failures = by.threshold});  // just so many
    size_t judged = 0;
    std::set<size_t> expected;
    for (size_t index = 0; index < tallies.size(); ++index) {
      const EndpointHealth::Tally& tally = tallies[index];
      if (tally.requests >= by.requests_min) {
        ++judged;
        if (tally.failures * 100 >= by.threshold * tally.requests) {
          expected.insert(index);
        }
      }
    }
    if (judged < by.endpoints_min) {
      expected.clear();
    }
    ASSERT_EQ(indices(outliers(options, tallies)), expected) << by.threshold;
  }
}

TEST(Outliers, BySuccessRateTheWorstAndNeverMany) {
  std::mt19937 random(4);
  size_t found_sum = 0;
  for (int i = 0; i < 20'000; ++i) {
    config::Ejection options;
    config::SuccessRate& by = options.success_rate;
    by = {.enabled = true,
          .endpoints_min = 2 + below(random, 9),
          .requests_min = 1 + below(random, 100),
          .stdev_percent = 1 + below(random, 300)};
    const Tallies tallies = random_tallies(random);
    const auto found = outliers(options, tallies);
    found_sum += found.size();
    const std::set<size_t> which = indices(found);
    size_t judged = 0;
    for (size_t index = 0; index < tallies.size(); ++index) {
      if (tallies[index].requests < by.requests_min) {
        ASSERT_EQ(which.count(index), 0U);
        continue;
      }
      ++judged;
      for (const size_t outlier : which) {
        ASSERT_TRUE(which.count(index) != 0 || worse(tallies[outlier], tallies[index]));
      }
    }
    ASSERT_TRUE(which.empty() || judged >= by.endpoints_min);
    // So many at most can lie k standard deviations below their mean (Cantelli).
    const double k = by.stdev_percent / 100.0;
    ASSERT_LE(static_cast<double>(which.size()), static_cast<double>(judged) / (1 + k * k));
    for (size_t at = 1; at < found.size(); ++at) {
      ASSERT_LE(found[at - 1].success_percent, found[at].success_percent);
    }
  }
  EXPECT_GT(found_sum, 1000U);
}

TEST(Outliers, WhoIsAlikeIsNone) {
  std::mt19937 random(5);
  config::Ejection options;
  options.success_rate = {
      .enabled = true, .endpoints_min = 2, .requests_min = 1, .stdev_percent = 1};
  for (int i = 0; i < 20'000; ++i) {
    const auto requests = 1 + below(random, 1000);
    const Tallies tallies(2 + below(random, 50), {requests, below(random, requests)});
    ASSERT_TRUE(outliers(options, tallies).empty())
        << tallies.size() << " times " << tallies[0].failures << " of " << requests;
  }
}

TEST(Outliers, TheOrderOfEndpointsDoesNotMatter) {
  std::mt19937 random(6);
  for (int i = 0; i < 2000; ++i) {
    config::Ejection options;
    options.success_rate = {.enabled = true, .endpoints_min = 3, .requests_min = 10};
    options.failure_percentage = {
        .enabled = true, .endpoints_min = 3, .requests_min = 50, .threshold = 60};
    Tallies tallies = random_tallies(random);
    const auto rates = [&] {
      std::vector<std::pair<double, Outlier::Cause>> out;
      for (const Outlier& each : outliers(options, tallies)) {
        out.emplace_back(each.success_percent, each.cause);
      }
      std::sort(out.begin(), out.end());
      return out;
    };
    const auto before = rates();
    std::shuffle(tallies.begin(), tallies.end(), random);
    ASSERT_EQ(rates(), before);
  }
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

/// Told by the answers alone: it changes when enough of them in a row say so.
TEST(CheckStreak, DoesAsDocumentedAtRandom) {
  std::mt19937 random(7);
  for (int run = 0; run < 500; ++run) {
    config::HealthCheck options;
    options.healthy = 1 + below(random, 4);
    options.unhealthy = 1 + below(random, 4);
    CheckStreak streak;
    Check state = Check::kNone;
    bool before = false;
    uint32_t in_a_row = 0;
    for (int i = 0; i < 200; ++i) {
      const bool good = below(random, 3) == 0 ? !before : before;
      in_a_row = good == before && i != 0 ? in_a_row + 1 : 1;
      before = good;
      const Check answer = good ? Check::kGood : Check::kBad;
      if (state == Check::kNone || in_a_row >= (good ? options.healthy : options.unhealthy)) {
        state = answer;
      }
      ASSERT_EQ(streak.add(options, good), state);
      ASSERT_EQ(streak.settled(), state == answer);
    }
  }
}

}  // namespace
}  // namespace hangu::policy
