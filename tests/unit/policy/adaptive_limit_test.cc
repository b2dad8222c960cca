// The limit against a simulated upstream: so many servers, each busy with one request for the
// service time, and a queue before them. Time is simulated, too.
#include "hangu/policy/adaptive_limit.h"

#include <algorithm>
#include <cstdint>
#include <queue>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace hangu::policy {
namespace {

constexpr int64_t kMillisecond = 1'000'000;
constexpr int64_t kSecond = 1000 * kMillisecond;
constexpr uint32_t kShards = 3;

struct Arrivals {
  double per_second;
  int64_t length_ns;
};

class Simulation {
 public:
  explicit Simulation(size_t servers, int64_t service_ns)
      : limit_(kShards, 5),
        free_at_(servers, 0),
        service_ns_(service_ns) {}

  AdaptiveLimit::Options options;

  void set_servers(size_t servers) { free_at_.assign(servers, now_); }

  void set_service(int64_t service_ns) { service_ns_ = service_ns; }

  /// Requests at random, so many a second on average.
  void run(const Arrivals& arrivals, double share = 1.0) {
    std::exponential_distribution<double> gap(arrivals.per_second / kSecond);
    const int64_t end = now_ + arrivals.length_ns;
    accepted = refused = 0;
    worst_ns = 0;
    while (true) {
      now_ += static_cast<int64_t>(gap(random_)) + 1;
      if (now_ >= end) {
        break;
      }
      finish_until(now_);
      begin(share);
    }
    now_ = end;
    finish_until(end);
  }

  AdaptiveLimit::Status status() const { return limit_.status(); }

  uint64_t accepted = 0;
  uint64_t refused = 0;
  int64_t worst_ns = 0;

 private:
  struct Request {
    int64_t ends_at;
    int64_t began_at;
    uint32_t shard;
    AdaptiveLimit::Admission admission;

    bool operator<(const Request& other) const { return ends_at > other.ends_at; }
  };

  void begin(double share) {
    const auto shard = static_cast<uint32_t>(random_() % kShards);
    const auto admission = limit_.admit(shard, share, false, options, now_);
    if (admission == AdaptiveLimit::Admission::kNone) {
      ++refused;
      return;
    }
    ++accepted;
    const auto server = std::min_element(free_at_.begin(), free_at_.end());
    // Service times vary by a tenth.
    const auto service =
        static_cast<int64_t>(static_cast<double>(service_ns_) * (0.9 + 0.2 * uniform_(random_)));
    *server = std::max(*server, now_) + service;
    requests_.push({.ends_at = *server, .began_at = now_, .shard = shard, .admission = admission});
  }

  void finish_until(int64_t until) {
    while (!requests_.empty() && requests_.top().ends_at <= until) {
      const Request done = requests_.top();
      requests_.pop();
      worst_ns = std::max(worst_ns, done.ends_at - done.began_at);
      limit_.leave(done.shard, done.admission, done.ends_at - done.began_at, options, done.ends_at);
    }
  }

  AdaptiveLimit limit_;
  std::vector<int64_t> free_at_;
  int64_t service_ns_;
  int64_t now_ = kSecond;
  std::priority_queue<Request> requests_;
  std::mt19937_64 random_{11};
  std::uniform_real_distribution<double> uniform_{0, 1};
};

TEST(AdaptiveLimit, StartsAtTheLeastAndMeasures) {
  Simulation upstream(20, 10 * kMillisecond);
  upstream.run({.per_second = 100, .length_ns = 200 * kMillisecond});
  EXPECT_EQ(upstream.status().limit, 3U);
  EXPECT_TRUE(upstream.status().measuring);
  upstream.run({.per_second = 100, .length_ns = 2 * kSecond});
  EXPECT_FALSE(upstream.status().measuring);
  EXPECT_NEAR(static_cast<double>(upstream.status().baseline_ns), 10 * kMillisecond, kMillisecond);
}

/// Twice what the upstream can do: the limit settles a little above its servers, so that they are
/// always busy, and requests wait no longer than the buffer says.
TEST(AdaptiveLimit, ConvergesNearCapacityUnderOverload) {
  for (const size_t servers : {10, 60}) {
    Simulation upstream(servers, 20 * kMillisecond);
    const double capacity = static_cast<double>(servers) / 0.020;
    upstream.run({.per_second = 2 * capacity, .length_ns = 6 * kSecond});
    upstream.run({.per_second = 2 * capacity, .length_ns = 6 * kSecond});
    const auto limit = static_cast<double>(upstream.status().limit);
    EXPECT_GE(limit, 1.0 * static_cast<double>(servers)) << servers;
    EXPECT_LE(limit, 1.8 * static_cast<double>(servers)) << servers;
    // Goodput is what the servers can do; without a limit all would time out in the end.
    EXPECT_GE(static_cast<double>(upstream.accepted), 0.93 * 6 * capacity) << servers;
    EXPECT_LE(upstream.worst_ns, 50 * kMillisecond) << servers;
  }
}

TEST(AdaptiveLimit, FollowsCapacityDownAndUp) {
  Simulation upstream(50, 20 * kMillisecond);
  upstream.run({.per_second = 4000, .length_ns = 5 * kSecond});
  EXPECT_GE(upstream.status().limit, 50U);
  upstream.set_servers(10);
  upstream.run({.per_second = 4000, .length_ns = 5 * kSecond});
  EXPECT_LE(upstream.status().limit, 20U);
  EXPECT_GE(upstream.status().limit, 10U);
  upstream.set_servers(50);
  upstream.run({.per_second = 4000, .length_ns = 5 * kSecond});
  EXPECT_GE(upstream.status().limit, 50U);
}

TEST(AdaptiveLimit, RefusesNothingBelowCapacity) {
  Simulation upstream(50, 20 * kMillisecond);
  upstream.run({.per_second = 1250, .length_ns = 8 * kSecond});
  upstream.run({.per_second = 1250, .length_ns = 8 * kSecond});
  EXPECT_LE(static_cast<double>(upstream.refused), 0.001 * static_cast<double>(upstream.accepted));
}

TEST(AdaptiveLimit, HoldsAtLowTraffic) {
  Simulation upstream(50, 20 * kMillisecond);
  upstream.run({.per_second = 5000, .length_ns = 10 * kSecond});
  const uint32_t before = upstream.status().limit;
  // Two requests a second, each alone: no reason to let a hundred in at once.
  upstream.run({.per_second = 2, .length_ns = 40 * kSecond});
  EXPECT_NEAR(upstream.status().limit, before, 0.2 * before);
  EXPECT_EQ(upstream.refused, 0U);
}

/// Moments with little to do are measurements: the limit need not go down for one.
TEST(AdaptiveLimit, MeasuresInPassingWhereItCan) {
  Simulation upstream(50, 20 * kMillisecond);
  upstream.options.baseline_interval = std::chrono::seconds(10);
  upstream.run({.per_second = 60, .length_ns = 20 * kSecond});
  upstream.set_service(40 * kMillisecond);
  for (int i = 0; i < 40; ++i) {
    upstream.run({.per_second = 60, .length_ns = kSecond});
    EXPECT_FALSE(upstream.status().measuring);
    EXPECT_EQ(upstream.refused, 0U);
  }
  EXPECT_NEAR(static_cast<double>(upstream.status().baseline_ns), 40 * kMillisecond,
              4 * kMillisecond);
}

/// An upstream that is slower for good, under load all the time: within a baseline_interval the
/// limit goes down once to see, and what was a queue before is the latency at rest from then on.
TEST(AdaptiveLimit, GoesDownToMeasureWhenNeverAtRest) {
  Simulation upstream(50, 20 * kMillisecond);
  upstream.options.baseline_interval = std::chrono::seconds(10);
  upstream.run({.per_second = 5000, .length_ns = 5 * kSecond});
  upstream.set_service(60 * kMillisecond);
  upstream.run({.per_second = 5000, .length_ns = 30 * kSecond});
  EXPECT_NEAR(static_cast<double>(upstream.status().baseline_ns), 60 * kMillisecond,
              6 * kMillisecond);
  EXPECT_GE(upstream.status().limit, 50U);
}

TEST(AdaptiveLimit, KeepsAShareForOthers) {
  Simulation upstream(50, 20 * kMillisecond);
  upstream.run({.per_second = 5000, .length_ns = 10 * kSecond});
  upstream.run({.per_second = 5000, .length_ns = 5 * kSecond}, 0.7);
  // What may use seven tenths leaves three tenths free.
  const AdaptiveLimit::Status status = upstream.status();
  EXPECT_LE(status.under_way, static_cast<uint32_t>(0.7 * status.limit) + 1);
}

TEST(AdaptiveLimit, ShadowCountsButLetsAllPass) {
  AdaptiveLimit limit(1, 1);
  const AdaptiveLimit::Options options;
  for (int i = 0; i < 5; ++i) {
    const auto admission = limit.admit(0, 1.0, true, options, kSecond);
    EXPECT_EQ(admission,
              i < 3 ? AdaptiveLimit::Admission::kAtRest : AdaptiveLimit::Admission::kOver);
  }
  EXPECT_EQ(limit.status().under_way, 5U);
}

TEST(LatencySketch, MediansAreExactWithinABucket) {
  std::mt19937_64 random(3);
  for (const int64_t scale : {7LL, 300LL, 12'000LL, 2'000'000LL}) {  // microseconds
    LatencySketch sketch;
    std::vector<int64_t> all;
    for (int i = 0; i < 1001; ++i) {
      all.push_back((scale + static_cast<int64_t>(random() % static_cast<uint64_t>(scale))) * 1000);
      sketch.record(all.back());
    }
    std::nth_element(all.begin(), all.begin() + 500, all.end());
    LatencySketch::Counts counts{};
    sketch.add_to(counts);
    EXPECT_EQ(LatencySketch::count(counts, {}), 1001U);
    EXPECT_NEAR(LatencySketch::median_ns(counts, {}), static_cast<double>(all[500]),
                0.07 * static_cast<double>(all[500]) + 1000);
  }
}

}  // namespace
}  // namespace hangu::policy
