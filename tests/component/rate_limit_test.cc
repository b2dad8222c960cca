// Rate limits of a route: the quick way says and counts what the long way does.
#include <array>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "hangu/filter/rate_limit_filter.h"
#include "hangu/filter/request_key.h"
#include "hangu/filter/request_keys.h"
#include "hangu/filter/route_filter.h"
#include "hangu/stats/registry.h"

#include "tests/component/fake_shard.h"

namespace hangu::filter {
namespace {

using Kind = config::KeyPart::Kind;
using Limits = std::vector<config::RateLimit>;

constexpr uint64_t kSeed = 77;

struct Asked {
  std::string client;
  std::string host;
  std::string tenant;  // empty: without the field
  std::string_view method = "GET";
};

/// A route with rate limits that count for themselves.
class LimitedRoute {
 public:
  explicit LimitedRoute(const Limits& limits) {
    config::Config config;
    config.listeners.push_back({.name = "web", .bind = {"127.0.0.1:0"}});
    config.upstreams.push_back({.name = "origin"});
    config.routes.push_back(config::Route{.name = "all"});
    auto owned = std::make_shared<const config::Config>(std::move(config));
    auto snapshot = std::make_shared<Snapshot>();
    snapshot->config = owned;
    snapshot->route_table = policy::RouteTable(*owned);
    snapshot->entry.add(std::make_shared<RouteFilter>());
    RouteRuntime runtime;
    runtime.config = &owned->routes[0];
    runtime.stats = registry_.route("all");
    std::vector<std::shared_ptr<const RateLimit>> compiled;
    for (const config::RateLimit& limit : limits) {
      stats_.push_back(registry_.rate_limit(limit.name));
      auto counts = std::make_shared<RateLimitCounts>(limit, 1, kSeed, stats_.back());
      compiled.push_back(std::make_shared<RateLimit>(limit, std::move(counts), RateLimit::Place{}));
    }
    runtime.chain.add(std::make_shared<RateLimitFilter>(std::move(compiled)));
    snapshot->routes.push_back(std::move(runtime));
    snapshot->listeners.push_back({.config = owned->listeners.data()});
    snapshot_ = SnapshotRef(std::shared_ptr<const Snapshot>(snapshot));
  }

  /// The limit that refuses it; empty: it passed.
  std::string ask(const Asked& asked, Duration later) {
    shard_.advance(later);
    test::FakeWriter writer;
    Stream stream(shard_, writer, snapshot_, snapshot_->listeners[0]);
    start(stream, asked);
    std::string rule(writer.status == 429 ? stream.info.rule : std::string_view());
    stream.finish();
    return rule;
  }

  /// Calls look(stream) with one that has been started.
  template <class Look>
  void with_stream(const Asked& asked, const Look& look) {
    test::FakeWriter writer;
    Stream stream(shard_, writer, snapshot_, snapshot_->listeners[0]);
    start(stream, asked);
    look(stream);
    stream.finish();
  }

  std::vector<std::array<uint64_t, 4>> counted() const {
    std::vector<std::array<uint64_t, 4>> all;
    for (const auto& stats : stats_) {
      const stats::RateLimitSlot& slot = stats->slots()[0];
      all.push_back({slot.allowed.value(), slot.rejected.value(), slot.shadow_rejected.value(),
                     slot.shared_keys.value()});
    }
    return all;
  }

 private:
  static void start(Stream& stream, const Asked& asked) {
    stream.request.method_text = asked.method;
    stream.request.path = "/";
    stream.request.host = asked.host;
    stream.info.client_ip = asked.client;
    if (!asked.tenant.empty()) {
      stream.request.headers.add_copy("x-tenant", asked.tenant);
    }
    stream.start(true);
  }

  test::FakeShard shard_;
  stats::Registry registry_{1};
  std::vector<std::shared_ptr<stats::RateLimitStats>> stats_;
  SnapshotRef snapshot_;
};

class Random {
 public:
  explicit Random(uint32_t seed)
      : engine_(seed) {}

  uint32_t below(uint32_t end) {
    return std::uniform_int_distribution<uint32_t>(0, end - 1)(engine_);
  }

  bool one_in(uint32_t many) { return below(many) == 0; }

  config::RateLimit limit(std::string name) {
    const std::vector<std::vector<config::KeyPart>> keys = {
        {{Kind::kClientIp, ""}},
        {{Kind::kHost, ""}},
        {{Kind::kClientIp, ""}, {Kind::kHost, ""}},
        {{Kind::kHeader, "x-tenant"}},
        {{Kind::kClientIp, ""}, {Kind::kHeader, "x-tenant"}}};
    config::RateLimit limit{.name = std::move(name)};
    limit.key = keys[below(static_cast<uint32_t>(keys.size()))];
    limit.rate = {.count = 1 + below(20), .per = std::chrono::seconds(1)};
    limit.burst = 1 + below(8);
    limit.cost.fixed = one_in(3) ? 2 : 1;
    limit.burst = std::max(limit.burst, limit.cost.fixed);
    limit.keys_max = 1000;
    if (one_in(4)) {  // soon without a free place
      limit.keys_max = 1;
      limit.rate.per = std::chrono::hours(1);
    }
    limit.ipv4_prefix = one_in(3) ? 24 : 32;
    limit.on_missing_key = static_cast<config::MissingKey>(below(3));
    limit.mode = one_in(3) ? config::Mode::kShadow : config::Mode::kEnforce;
    if (one_in(3)) {
      limit.match.methods = {"POST"};
    }
    return limit;
  }

  Asked asked() {
    return {.client = "192.0." + std::to_string(below(3)) + "." + std::to_string(below(100)),
            .host = one_in(2) ? "a.example" : "b.example",
            .tenant = one_in(3) ? "" : "tenant-" + std::to_string(below(40)),
            .method = one_in(2) ? "GET" : "POST"};
  }

 private:
  std::mt19937 engine_;
};

/// The same limits, but that each answer has to say what is left: the long way.
Limits told(Limits limits) {
  for (config::RateLimit& limit : limits) {
    limit.headers_on = config::RateHeadersOn::kAll;
  }
  return limits;
}

TEST(RateLimits, QuickWaySaysAndCountsWhatTheLongWayDoes) {
  size_t refused = 0;
  size_t passed = 0;
  std::array<uint64_t, 4> sum{};
  for (uint32_t seed = 0; seed < 60; ++seed) {
    Random random(seed);
    Limits limits;
    const size_t count = 1 + random.below(config::kRateLimitsMax);
    for (size_t i = 0; i < count; ++i) {
      limits.push_back(random.limit("limit-" + std::to_string(i)));
    }
    LimitedRoute quick(limits);
    LimitedRoute slow(told(limits));
    for (int i = 0; i < 500; ++i) {
      const Asked asked = random.asked();
      const Duration later = std::chrono::milliseconds(random.below(40));
      const std::string rule = quick.ask(asked, later);
      ASSERT_EQ(rule, slow.ask(asked, later)) << "seed " << seed << ", request " << i;
      ++(rule.empty() ? passed : refused);
    }
    ASSERT_EQ(quick.counted(), slow.counted()) << "seed " << seed;
    for (const auto& each : quick.counted()) {
      for (size_t i = 0; i < sum.size(); ++i) {
        sum[i] += each[i];
      }
    }
  }
  EXPECT_GT(passed, 1000U);
  EXPECT_GT(refused, 1000U);
  for (const uint64_t each : sum) {
    EXPECT_GT(each, 100U);  // each kind of answer was among them
  }
}

TEST(RateLimits, WhoIsRefusedByOneIsCountedByNone) {
  config::RateLimit wide{.name = "wide"};
  wide.key = {{Kind::kHost, ""}};
  wide.rate = {.count = 1, .per = std::chrono::hours(1)};
  wide.burst = 3;
  config::RateLimit narrow = wide;
  narrow.name = "narrow";
  narrow.key = {{Kind::kClientIp, ""}};
  narrow.burst = 1;
  LimitedRoute route({wide, narrow});
  const Asked first{.client = "192.0.2.1", .host = "a.example"};
  const Asked second{.client = "192.0.2.2", .host = "a.example"};
  const Asked third{.client = "192.0.2.3", .host = "a.example"};
  EXPECT_EQ(route.ask(first, {}), "");
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(route.ask(first, {}), "narrow");
  }
  EXPECT_EQ(route.ask(second, {}), "");
  EXPECT_EQ(route.ask(third, {}), "");
  EXPECT_EQ(route.ask({.client = "192.0.2.4", .host = "a.example"}, {}), "wide");
}

TEST(RequestKeys, AreThoseOfEachKeyAlone) {
  const std::vector<std::vector<config::KeyPart>> parts = {
      {{Kind::kClientIp, ""}},
      {{Kind::kClientIp, ""}, {Kind::kHost, ""}},
      {{Kind::kClientIp, ""}, {Kind::kHost, ""}, {Kind::kHeader, "x-tenant"}},
      {{Kind::kHost, ""}},
      {{Kind::kHost, ""}, {Kind::kClientIp, ""}},
      {{Kind::kHeader, "x-tenant"}, {Kind::kHost, ""}},
      {{Kind::kHeader, "x-other"}, {Kind::kHost, ""}}};
  RequestKeys keys;
  std::vector<uint8_t> numbers;
  std::vector<std::unique_ptr<RequestKey>> alone;
  for (const uint32_t prefix : {32U, 24U}) {
    for (const auto& each : parts) {
      numbers.push_back(keys.add(each, {prefix, 64}, kSeed).value());
      alone.push_back(std::make_unique<RequestKey>(each, RequestKey::Prefixes{prefix, 64}, kSeed));
    }
  }
  // client; client, host; client, host, tenant; host; host, client; tenant; tenant, host; other;
  // other, host. With the other prefix again those with the client.
  EXPECT_EQ(keys.steps(), 9U + 4U);
  LimitedRoute route({});
  const std::array<Asked, 2> all = {
      Asked{.client = "192.0.2.1", .host = "a.example", .tenant = "t"},
      Asked{.client = "2001:db8::1", .host = "b.example"}};
  for (const Asked& asked : all) {
    route.with_stream(asked, [&](const Stream& stream) {
      const RequestKeys::Hashed hashed(keys, stream);
      for (size_t i = 0; i < numbers.size(); ++i) {
        const RequestKey::Hashed expected = alone[i]->of(stream);
        EXPECT_EQ(hashed.hash(numbers[i]), expected.hash) << asked.client << ' ' << i;
        EXPECT_EQ(hashed.whole(numbers[i]), expected.whole) << asked.client << ' ' << i;
      }
    });
  }
}

TEST(RequestKeys, RefuseWhatFindsNoRoom) {
  RequestKeys keys;
  const std::vector<config::KeyPart> none;
  EXPECT_FALSE(keys.add(none, {}, kSeed));
  std::vector<std::vector<config::KeyPart>> many;
  for (size_t i = 0; i < RequestKeys::kStepsMax; ++i) {
    many.push_back({{Kind::kHeader, "x-" + std::to_string(i)}});
  }
  for (const auto& each : many) {
    EXPECT_TRUE(keys.add(each, {}, kSeed));
  }
  EXPECT_TRUE(keys.add(many.front(), {}, kSeed));  // known
  const std::vector<config::KeyPart> further = {{Kind::kHost, ""}};
  EXPECT_FALSE(keys.add(further, {}, kSeed));
}

}  // namespace
}  // namespace hangu::filter
