// The choices among endpoints: by weight, the better of two, latencies, hashes, health.
#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "hangu/policy/choice.h"
#include "hangu/policy/endpoint_health.h"
#include "hangu/policy/maglev.h"
#include "hangu/policy/peak_ewma.h"
#include "hangu/policy/ring_hash.h"
#include "hangu/policy/weighted_turn.h"

namespace hangu::policy {
namespace {

constexpr int64_t kSecond = 1'000'000'000;

using Failure = EndpointHealth::Failure;
using Check = EndpointHealth::Check;
using Order = EndpointHealth::Order;

const auto kAll = [](size_t) { return true; };

std::vector<uint32_t> ones(size_t count) {
  return std::vector<uint32_t>(count, 1);
}

std::unique_ptr<EndpointHealth> make_health(int64_t since_ns = 0) {
  return std::make_unique<EndpointHealth>(std::make_shared<PoolVersion>(), 2, since_ns);
}

/// Whether `hits` may come from these weights: each within five standard deviations.
void expect_shares(const std::vector<int>& hits, const std::vector<uint32_t>& weights) {
  const double total = std::accumulate(hits.begin(), hits.end(), 0.0);
  const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
  for (size_t i = 0; i < hits.size(); ++i) {
    const double part = weights[i] / sum;
    EXPECT_NEAR(hits[i], total * part, 5 * std::sqrt(total * part * (1 - part)) + 1) << i;
  }
}

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
    ++hits[*better_of_two(WeightedSample(ones(5)), 5, random(), kAll, [](size_t) { return 0; })];
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
    ++load[*better_of_two(WeightedSample(ones(load.size())), load.size(), random(), kAll,
                          [&](size_t at) { return load[at]; })];
  }
  EXPECT_LE(*std::max_element(load.begin(), load.end()), 105);
  EXPECT_GE(*std::min_element(load.begin(), load.end()), 90);
}

TEST(BetterOfTwo, LeavesOutWhatIsNotUsable) {
  std::mt19937_64 random(3);
  const WeightedSample sample(ones(4));
  for (int i = 0; i < 1000; ++i) {
    const auto usable = [](size_t at) { return at == 1 || at == 3; };
    const auto picked = better_of_two(sample, 4, random(), usable, [](size_t at) { return at; });
    ASSERT_TRUE(picked == 1U || picked == 3U);
    const auto none = [](size_t) { return false; };
    EXPECT_EQ(better_of_two(sample, 4, random(), none, kAll), std::nullopt);
    EXPECT_EQ(better_of_two(WeightedSample(ones(1)), 1, random(), kAll, kAll), 0U);
  }
}

std::vector<std::string> names(size_t count) {
  std::vector<std::string> out;
  for (size_t i = 0; i < count; ++i) {
    out.push_back("10.0.0." + std::to_string(i) + ":80");
  }
  return out;
}

std::vector<HashedEndpoint> hashed(const std::vector<std::string>& names) {
  std::vector<HashedEndpoint> out;
  for (const std::string& name : names) {
    out.push_back({.name = name});
  }
  return out;
}

Maglev table_of(const std::vector<std::string>& names) {
  return Maglev(hashed(names));
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
  const auto owned = make_health();
  EndpointHealth& health = *owned;
  int64_t now = 1000 * kSecond;
  EXPECT_TRUE(health.well(now));
  for (int i = 0; i < 4; ++i) {
    EXPECT_FALSE(health.failed(options, Failure::kApplication));
  }
  health.succeeded();
  for (int i = 0; i < 4; ++i) {
    EXPECT_FALSE(health.failed(options, Failure::kGateway));
  }
  EXPECT_TRUE(health.failed(options, Failure::kApplication));
  EXPECT_EQ(health.eject(options, 0, now), 30 * kSecond);
  EXPECT_EQ(health.eject(options, 0, now), 0);
  EXPECT_FALSE(health.well(now + 29 * kSecond));
  EXPECT_EQ(health.ejected_for_ns(now + 29 * kSecond), kSecond);
  now += 30 * kSecond;
  EXPECT_TRUE(health.well(now));
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

TEST(EndpointHealth, CountsGatewayFailuresApart) {
  config::Ejection options;
  options.gateway_failures = 2;
  const auto health = make_health();
  EXPECT_FALSE(health->failed(options, Failure::kGateway));
  EXPECT_FALSE(health->failed(options, Failure::kApplication));  // breaks the row
  EXPECT_FALSE(health->failed(options, Failure::kGateway));
  EXPECT_TRUE(health->failed(options, Failure::kGateway));
}

TEST(EndpointHealth, ChecksAndOrdersMoveTheVersion) {
  const auto version = std::make_shared<PoolVersion>();
  EndpointHealth health(version, 1);
  const uint64_t first = version->value();
  EXPECT_TRUE(health.set_check(Check::kGood, kSecond));
  EXPECT_FALSE(health.set_check(Check::kGood, kSecond));
  EXPECT_EQ(version->value(), first + 1);
  EXPECT_EQ(health.there_since_ns(kSecond), 0);  // good from the first answer on
  health.set_check(Check::kBad, 2 * kSecond);
  EXPECT_FALSE(health.well(3 * kSecond));
  health.set_check(Check::kGood, 5 * kSecond);
  EXPECT_TRUE(health.well(5 * kSecond));
  EXPECT_EQ(health.there_since_ns(6 * kSecond), 5 * kSecond);
  health.set_order(Order::kDrain, 7 * kSecond);
  health.set_order(Order::kReady, 8 * kSecond);
  EXPECT_EQ(health.there_since_ns(9 * kSecond), 8 * kSecond);
  EXPECT_EQ(version->value(), first + 5);
}

TEST(EndpointHealth, AGoodCheckEndsAnEjection) {
  const auto health = make_health();
  EXPECT_FALSE(health->end_ejection(10 * kSecond));
  health->eject({}, 0, 10 * kSecond);
  EXPECT_FALSE(health->well(11 * kSecond));
  EXPECT_TRUE(health->end_ejection(11 * kSecond));
  EXPECT_TRUE(health->well(11 * kSecond));
  EXPECT_EQ(health->there_since_ns(12 * kSecond), 11 * kSecond);
}

TEST(EndpointHealth, SumsTheTalliesOfShards) {
  const auto health = make_health();
  health->count(0, false);
  health->count(1, true);
  health->count(1, false);
  EXPECT_EQ(health->tally().requests, 3U);
  EXPECT_EQ(health->tally().failures, 1U);
}

TEST(MayEject, OneInAnyCaseTheLastNever) {
  EXPECT_FALSE(may_eject(0, 1, 100));
  EXPECT_TRUE(may_eject(0, 2, 10));
  EXPECT_FALSE(may_eject(1, 2, 100));
  EXPECT_FALSE(may_eject(1, 3, 50));
  EXPECT_TRUE(may_eject(4, 10, 50));
  EXPECT_FALSE(may_eject(5, 10, 50));
  EXPECT_FALSE(may_eject(9, 10, 100));
}

TEST(InService, CountsNoneThatAnOperatorHasTakenOut) {
  const auto one = make_health();
  const auto other = make_health();
  const auto all = [&] {
    InService in_service;
    in_service.add(*one, kSecond);
    in_service.add(*other, kSecond);
    return in_service;
  };
  EXPECT_TRUE(all().may_eject(10));
  for (const auto order : {EndpointHealth::Order::kMaintenance, EndpointHealth::Order::kDrain}) {
    one->set_order(order, kSecond);
    EXPECT_FALSE(all().may_eject(100));  // the other is the last
    EXPECT_TRUE(all().any_well());
  }
  other->set_check(EndpointHealth::Check::kBad, kSecond);
  EXPECT_FALSE(all().any_well());
  one->set_order(EndpointHealth::Order::kReady, kSecond);
  EXPECT_TRUE(all().any_well());
  EXPECT_FALSE(all().may_eject(100));
}

// --- weights ----------------------------------------------------------------------------------

constexpr uint32_t kNobody = UINT32_MAX;

std::vector<WeightedTurn::Member> turns_of(const std::vector<uint32_t>& weights) {
  std::vector<WeightedTurn::Member> members;
  for (const uint32_t weight : weights) {
    members.push_back({.id = static_cast<uint32_t>(members.size()), .weight = weight});
  }
  return members;
}

TEST(WeightedTurn, IsExactAndSmooth) {
  const std::vector<uint32_t> weights = {5, 1, 1};
  WeightedTurn turn;
  turn.set(turns_of(weights));
  std::vector<int> hits(3);
  int in_a_row = 0;
  for (int i = 0; i < 700; ++i) {
    const uint32_t next = turn.next(kNobody);
    ++hits[next];
    in_a_row = next == 0 ? in_a_row + 1 : 0;
    EXPECT_LE(in_a_row, 5);
    if ((i + 1) % 7 == 0) {
      EXPECT_NEAR(hits[0], (i + 1) * 5 / 7, 1) << i;
      EXPECT_NEAR(hits[1], (i + 1) / 7, 1) << i;
    }
  }
  EXPECT_NEAR(hits[0], 500, 1);
}

TEST(WeightedTurn, KeepsItsPlaceWhenWeightsChange) {
  WeightedTurn turn;
  turn.set(turns_of({1, 1, 1, 1}));
  std::vector<int> hits(4);
  for (int i = 0; i < 4000; ++i) {
    turn.set(turns_of({1000, 1000, 1000, 1000}));  // at each request
    ++hits[turn.next(kNobody)];
  }
  for (const int hit : hits) {
    EXPECT_NEAR(hit, 1000, 2);
  }
}

TEST(WeightedTurn, SkipsWhoWasAsked) {
  WeightedTurn turn;
  turn.set(turns_of({1000, 1}));
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(turn.next(0), 1U);
  }
  turn.set(turns_of({7}));
  EXPECT_EQ(turn.next(0), 0U);
}

TEST(WeightedSample, PicksByWeight) {
  const std::vector<uint32_t> weights = {1, 2, 3, 10};
  const WeightedSample sample(weights);
  std::mt19937_64 engine(4);
  const auto random = [&] { return static_cast<uint32_t>(engine()); };
  std::vector<int> hits(4);
  std::vector<int> others(4);
  for (int i = 0; i < 40'000; ++i) {
    ++hits[sample.at(random())];
    ++others[sample.other(3, random())];
    ASSERT_NE(sample.other(0, random()), 0U);
  }
  expect_shares(hits, weights);
  expect_shares(others, {1, 2, 3, 0});
}

/// Idle endpoints get requests by weight, loaded ones hold them by weight.
TEST(BetterOfTwo, KeepsToWeights) {
  const std::vector<uint32_t> weights = {1, 3, 6};
  const WeightedSample sample(weights);
  std::mt19937_64 random(5);
  std::vector<int> idle(3);
  std::vector<double> load(3);
  for (int i = 0; i < 20'000; ++i) {
    ++idle[*better_of_two(sample, 3, random(), kAll, [](size_t) { return 0; })];
    load[*better_of_two(sample, 3, random(), kAll,
                        [&](size_t at) { return load[at] / weights[at]; })] += 1;
  }
  expect_shares(idle, weights);
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_NEAR(load[i] / (20'000.0 * weights[i] / 10), 1, 0.02);
  }
}

// --- hashes -----------------------------------------------------------------------------------

TEST(Maglev, SharesByWeight) {
  std::vector<std::string> text = names(4);
  std::vector<HashedEndpoint> endpoints = hashed(text);
  for (uint32_t i = 0; i < 4; ++i) {
    endpoints[i].weight = i + 1;
  }
  const Maglev table{endpoints};
  std::vector<double> entries(4);
  for (size_t i = 0; i < Maglev::kEntries; ++i) {
    entries[table.at(i)] += 1;
  }
  for (size_t i = 0; i < 4; ++i) {
    EXPECT_NEAR(entries[i] / (static_cast<double>(Maglev::kEntries) * endpoints[i].weight / 10), 1,
                0.001);
  }
}

TEST(RingHash, SharesByWeight) {
  std::vector<std::string> text = names(4);
  std::vector<HashedEndpoint> endpoints = hashed(text);
  for (uint32_t i = 0; i < 4; ++i) {
    endpoints[i].weight = i + 1;
  }
  const RingHash ring(endpoints, 16 * 1024);
  EXPECT_NEAR(static_cast<double>(ring.size()), 16 * 1024, 4);
  std::mt19937_64 random(6);
  std::vector<double> hits(4);
  for (int i = 0; i < 100'000; ++i) {
    hits[ring.at(random(), kAll)] += 1;
  }
  for (size_t i = 0; i < 4; ++i) {
    // 1600 points and more each: five standard deviations of their lengths.
    EXPECT_NEAR(hits[i] / (1e4 * endpoints[i].weight), 1, 0.15);
  }
}

/// Exactly the keys of the one that goes move.
TEST(RingHash, MovesNoOtherKeys) {
  std::vector<std::string> text = names(10);
  const RingHash before(hashed(text), 4096);
  text.pop_back();
  std::reverse(text.begin(), text.end());
  const RingHash after(hashed(text), 4096 * 9 / 10);
  std::mt19937_64 random(7);
  int moved = 0;
  for (int i = 0; i < 10'000; ++i) {
    const uint64_t key = random();
    const size_t home = before.at(key, kAll);
    moved += home != 9 && 8 - home != after.at(key, kAll) ? 1 : 0;
    EXPECT_EQ(before.at(key, [&](size_t at) { return at != 9; }) == home, home != 9);
  }
  EXPECT_LE(moved, 50);  // the number of points is rounded
}

TEST(RingHash, GivesEachEndpointAPoint) {
  const std::vector<std::string> text = names(3000);
  const RingHash ring(hashed(text), 1024);
  EXPECT_EQ(ring.size(), 3000U);
}

TEST(HasRoom, BoundsTheLoadOfEach) {
  const std::vector<std::string> text = names(8);
  const Maglev table = table_of(text);
  std::mt19937_64 random(8);
  std::vector<uint64_t> load(8);
  uint64_t sum = 0;
  const uint64_t hot = random();
  for (int i = 0; i < 4000; ++i) {
    const uint64_t key = i % 2 == 0 ? hot : random();  // half of all want the same
    const size_t at =
        table.at(key, [&](size_t each) { return has_room(load[each], 1, sum, 8, 125); });
    ++load[at];
    ++sum;
    const auto most = static_cast<double>(*std::max_element(load.begin(), load.end()));
    EXPECT_LE(most, std::ceil(1.25 * static_cast<double>(sum) / 8)) << i;
  }
}

/// What the header says of an endpoint, in plain numbers.
struct HealthModel {
  uint32_t in_a_row = 0;
  uint32_t gateway_in_a_row = 0;
  int64_t until = 0;
  int64_t times = 0;
  int64_t since = 0;
  Check check = Check::kNone;
  Order order = Order::kReady;
  uint64_t changes = 0;

  bool well(int64_t now) const { return now >= until && check != Check::kBad; }

  bool failed(const config::Ejection& options, Failure kind) {
    gateway_in_a_row = kind == Failure::kGateway ? gateway_in_a_row + 1 : 0;
    return ++in_a_row >= options.failures ||
           (options.gateway_failures != 0 && gateway_in_a_row != 0 &&
            gateway_in_a_row >= options.gateway_failures);
  }

  /// The least that an ejection lasts; a tenth may be added.
  int64_t eject(const config::Ejection& options, int64_t now) {
    const auto length = [&](int64_t n) {
      return std::min(options.time * n, std::max(options.time, options.time_max)).count();
    };
    times = until != 0 && now - until > length(times + 1) ? 1 : times + 1;
    in_a_row = gateway_in_a_row = 0;
    ++changes;
    return length(times);
  }
};

/// An endpoint and its model, which go through the same at random.
class RandomHealth {
 public:
  explicit RandomHealth(uint64_t seed)
      : random_(seed) {
    options_.failures = static_cast<uint32_t>(1 + below(6));
    options_.gateway_failures = static_cast<uint32_t>(below(4));
    options_.time = std::chrono::milliseconds(1 + below(10'000));
    options_.time_max = std::chrono::milliseconds(1 + below(60'000));
  }

  void step() {
    now_ += below(10) == 0 ? below(60 * kSecond) : below(kSecond / 10);
    switch (below(8)) {
      case 0:
        health_.succeeded();
        model_.in_a_row = model_.gateway_in_a_row = 0;
        break;
      case 1: set_check(static_cast<Check>(below(3))); break;
      case 2: set_order(static_cast<Order>(below(3))); break;
      case 3:
        ASSERT_EQ(health_.end_ejection(now_), model_.until > now_);
        model_.changes += model_.until > now_ ? 1 : 0;
        model_.until = std::min(model_.until, now_);
        break;
      default: fail(below(2) == 0 ? Failure::kGateway : Failure::kApplication);
    }
  }

  void compare() {
    ASSERT_EQ(health_.well(now_), model_.well(now_));
    ASSERT_EQ(health_.check(), model_.check);
    ASSERT_EQ(health_.order(), model_.order);
    ASSERT_EQ(health_.ejected_for_ns(now_), std::max<int64_t>(model_.until - now_, 0));
    ASSERT_EQ(health_.there_since_ns(now_),
              model_.until <= now_ ? std::max(model_.since, model_.until) : model_.since);
    ASSERT_EQ(version_->value(), 1 + model_.changes);
  }

  int ejections() const { return ejections_; }

 private:
  int64_t below(int64_t limit) {
    return static_cast<int64_t>(random_() % static_cast<uint64_t>(limit));
  }

  void set_check(Check check) {
    const bool changes = check != model_.check;
    ASSERT_EQ(health_.set_check(check, now_), changes);
    model_.changes += changes ? 1 : 0;
    model_.since = changes && model_.check == Check::kBad ? now_ : model_.since;
    model_.check = check;
  }

  void set_order(Order order) {
    const bool changes = order != model_.order;
    ASSERT_EQ(health_.set_order(order, now_), changes);
    model_.changes += changes ? 1 : 0;
    model_.since = changes && order == Order::kReady ? now_ : model_.since;
    model_.order = order;
  }

  void fail(Failure kind) {
    const bool enough = health_.failed(options_, kind);
    ASSERT_EQ(enough, model_.failed(options_, kind));
    if (!enough) {
      return;
    }
    const int64_t length = health_.eject(options_, static_cast<double>(below(11)) / 10, now_);
    ASSERT_EQ(length != 0, model_.until <= now_);
    if (length != 0) {
      ++ejections_;
      const int64_t least = model_.eject(options_, now_);
      ASSERT_GE(length, least);
      ASSERT_LE(length, least + least / 10);
      model_.until = now_ + length;
    }
  }

  std::mt19937_64 random_;
  config::Ejection options_;
  std::shared_ptr<PoolVersion> version_ = std::make_shared<PoolVersion>();
  EndpointHealth health_{version_, 2};
  HealthModel model_;
  int64_t now_ = 1000 * kSecond;
  int ejections_ = 0;
};

TEST(EndpointHealth, DoesAsDocumentedAtRandom) {
  int ejections = 0;
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    RandomHealth both(seed);
    for (int i = 0; i < 500; ++i) {
      SCOPED_TRACE(testing::Message() << "seed " << seed << " step " << i);
      ASSERT_NO_FATAL_FAILURE(both.step());
      ASSERT_NO_FATAL_FAILURE(both.compare());
    }
    ejections += both.ejections();
  }
  EXPECT_GT(ejections, 1000);
}

}  // namespace
}  // namespace hangu::policy
