// What routing costs: finding one of 100,000 routes, taking over a config in which one of them has
// changed, and asking a list of a million networks.
//   build/release/bin/hangu_route_bench
#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include "hangu/config/generations.h"
#include "hangu/config/load.h"
#include "hangu/policy/cidr_set.h"
#include "hangu/policy/route_table.h"
#include "hangu/stats/registry.h"

#include "server/snapshot_builder.h"
#include "tests/unit/server/no_identity.h"

namespace hangu {
namespace {

constexpr size_t kRoutes = 100'000;
constexpr size_t kAhead = 7;

/// Numbers that are the same in every run.
class Numbers {
 public:
  uint64_t next() {
    state_ = state_ * 6'364'136'223'846'793'005U + 1'442'695'040'888'963'407U;
    return state_ ^ state_ >> 31;
  }

 private:
  uint64_t state_ = 20'261'126;
};

enum class Paths { kExact, kPrefix, kTemplate };

config::Route route(Paths paths, size_t hosts, size_t number) {
  config::Route out;
  out.name = fmt::format("route-{}", number);
  out.upstream = 0;
  out.match.hosts = {fmt::format("host-{}.example.org", number % hosts)};
  const std::string base = fmt::format("/service-{}/v{}", number / hosts, number % 3);
  switch (paths) {
    case Paths::kExact: out.match.path_exact = base + "/users"; break;
    case Paths::kPrefix: out.match.path_prefix = base; break;
    case Paths::kTemplate: out.match.path_template = base + "/users/{id}"; break;
  }
  return out;
}

config::Config config_of(Paths paths, size_t hosts, size_t count = kRoutes) {
  config::Config config;
  config.upstreams.push_back(config::Upstream{.name = "app"});
  for (size_t i = 0; i < count; ++i) {
    config.routes.push_back(route(paths, hosts, i));
  }
  return config;
}

struct Request {
  std::string host;
  std::string path;
};

/// For routes all over the table, so that caches help as little as they do in life.
std::vector<Request> requests_for(const config::Config& config) {
  std::vector<Request> requests;
  Numbers numbers;
  for (size_t i = 0; i < 8192; ++i) {
    const config::RouteMatch& match = config.routes[numbers.next() % config.routes.size()].match;
    std::string path = match.path_exact;
    if (!match.path_prefix.empty()) {
      path = match.path_prefix + "/users/4711";
    } else if (!match.path_template.empty()) {
      path = match.path_template.substr(0, match.path_template.find('{')) + "4711";
    }
    requests.push_back({match.hosts[0], std::move(path)});
  }
  return requests;
}

void find_route(benchmark::State& state, Paths paths) {
  const config::Config config = config_of(paths, static_cast<size_t>(state.range(0)));
  const policy::RouteTable table(config);
  const std::vector<Request> requests = requests_for(config);
  size_t at = 0;
  for (auto _ : state) {
    const Request& request = requests[at++ % requests.size()];
    // A request was just received: its text is in the cache, other than the table.
    const Request& later = requests[(at + kAhead) % requests.size()];
    __builtin_prefetch(later.host.data());
    __builtin_prefetch(later.path.data());
    const policy::RouteMatchResult found = table.match(request.host, request.path, "GET");
    if (found.outcome != policy::RouteOutcome::kFound) {
      state.SkipWithError("a route was not found");
      return;
    }
    benchmark::DoNotOptimize(found);
  }
}

BENCHMARK_CAPTURE(find_route, exact, Paths::kExact)
    ->ArgName("hosts")
    ->Arg(1)
    ->Arg(1000)
    ->Arg(100'000);
BENCHMARK_CAPTURE(find_route, prefix, Paths::kPrefix)
    ->ArgName("hosts")
    ->Arg(1)
    ->Arg(1000)
    ->Arg(100'000);
BENCHMARK_CAPTURE(find_route, template, Paths::kTemplate)
    ->ArgName("hosts")
    ->Arg(1)
    ->Arg(1000)
    ->Arg(100'000);

void find_regex(benchmark::State& state) {
  config::Config config;
  for (int64_t i = 0; i < state.range(0); ++i) {
    config::Route one;
    one.name = fmt::format("r{}", i);
    one.match.path_regex = fmt::format("/service-{}/v[0-9]+/users/[a-z0-9]+", i);
    config.routes.push_back(std::move(one));
  }
  const policy::RouteTable table(config);
  const std::string path = fmt::format("/service-{}/v2/users/4711", state.range(0) - 1);
  for (auto _ : state) {
    benchmark::DoNotOptimize(table.match("h", path, "GET"));
  }
}

BENCHMARK(find_regex)->ArgName("expressions")->Arg(1)->Arg(10)->Arg(100);

/// Everything from a typed config to what the shards are given.
void compile_all(benchmark::State& state) {
  const auto config = std::make_shared<const config::Config>(config_of(Paths::kPrefix, 1000));
  for (auto _ : state) {
    stats::Registry registry(2);
    server::QuotaSaver quotas("");  // there are none
    server::LogoutKeeper logouts("", {});
    server::NoIdentity identity;
    server::SnapshotBuilder builder(registry, quotas, logouts, identity, identity);
    benchmark::DoNotOptimize(builder.build(config, {}, {}, {}));
  }
}

BENCHMARK(compile_all)->Unit(benchmark::kMillisecond)->Iterations(3);

/// The same when one route differs from the generation before, and freeing that one.
void compile_one_changed(benchmark::State& state) {
  const size_t hosts = static_cast<size_t>(state.range(0));
  config::Config config = config_of(Paths::kPrefix, hosts);
  stats::Registry registry(2);
  server::QuotaSaver quotas("");  // there are none
  server::LogoutKeeper logouts("", {});
  server::NoIdentity identity;
  server::SnapshotBuilder builder(registry, quotas, logouts, identity, identity);
  static_cast<void>(builder.build(std::make_shared<const config::Config>(config), {}, {}, {}));
  Numbers numbers;
  for (auto _ : state) {
    state.PauseTiming();
    config::Route changed = route(Paths::kPrefix, hosts, numbers.next() % kRoutes);
    changed.match.path_prefix += fmt::format("/{}", numbers.next() % 1000);
    config.routes.set(numbers.next() % kRoutes, std::make_shared<const config::Route>(changed));
    auto next = std::make_shared<const config::Config>(config);
    state.ResumeTiming();
    benchmark::DoNotOptimize(builder.build(std::move(next), {}, {}, {}));
    builder.release_unused();
    registry.prune();
  }
}

BENCHMARK(compile_one_changed)->ArgName("hosts")->Arg(1)->Arg(1000)->Unit(benchmark::kMicrosecond);

/// What a loader that has read everything anew does first: finding out what is as it was.
void compare_generations(benchmark::State& state) {
  const config::Config before = config_of(Paths::kPrefix, 1000);
  for (auto _ : state) {
    state.PauseTiming();
    config::Config next = config_of(Paths::kPrefix, 1000);
    state.ResumeTiming();
    config::share_unchanged(next, before);
    benchmark::DoNotOptimize(next);
    state.PauseTiming();
    next = {};
    state.ResumeTiming();
  }
}

BENCHMARK(compare_generations)->Unit(benchmark::kMillisecond)->Iterations(3);

/// From the text of the file: most of it is the YAML parser's.
void load_yaml(benchmark::State& state) {
  std::string text =
      "version: 1\nlisteners: [{name: web, bind: \"127.0.0.1:8080\"}]\n"
      "upstreams: [{name: app, endpoints: [\"127.0.0.1:9000\"]}]\nroutes:\n";
  for (int64_t i = 0; i < state.range(0); ++i) {
    text += fmt::format(
        "  - {{name: r{0}, upstream: app, match: {{hosts: [h{1}.example.org], path: {{prefix: "
        "/service-{0}}}}}}}\n",
        i, i % 1000);
  }
  for (auto _ : state) {
    const config::LoadResult loaded = config::load_text(text, "bench.yaml");
    if (!loaded.config) {
      state.SkipWithError("the config does not load");
      return;
    }
  }
}

BENCHMARK(load_yaml)->ArgName("routes")->Arg(kRoutes)->Unit(benchmark::kMillisecond)->Iterations(1);

// --- lists of networks ------------------------------------------------------------------------

constexpr size_t kNetworks = 1'000'000;

std::vector<config::Network> networks(bool ipv6) {
  std::vector<config::Network> out;
  Numbers numbers;
  for (size_t i = 0; i < kNetworks; ++i) {
    policy::IpBytes ip{};
    const uint64_t number = numbers.next();
    uint32_t bits = 128;
    if (ipv6) {  // most of them /48 to /64, some single hosts
      ip[0] = static_cast<uint8_t>(0x20 | (number & 0x0f));
      for (size_t byte = 1; byte < 8; ++byte) {
        ip[byte] = static_cast<uint8_t>(number >> (8 * byte));
      }
      ip[15] = static_cast<uint8_t>(i);
      bits = i % 10 == 0 ? 128 : 48 + static_cast<uint32_t>(i % 17);
    } else {
      ip[10] = ip[11] = 0xff;
      for (size_t byte = 12; byte < 16; ++byte) {
        ip[byte] = static_cast<uint8_t>(number >> (8 * (byte - 8)));
      }
      bits = 96 + 24 + static_cast<uint32_t>(i % 9);
    }
    out.push_back({.bytes = policy::network_of(ip, bits), .bits = static_cast<uint8_t>(bits)});
  }
  return out;
}

void build_networks(benchmark::State& state) {
  const std::vector<config::Network> list = networks(state.range(0) == 6);
  for (auto _ : state) {
    const policy::CidrSet set(list);
    benchmark::DoNotOptimize(set);
    state.counters["bytes"] = static_cast<double>(set.bytes());
  }
}

BENCHMARK(build_networks)->ArgName("ip")->Arg(4)->Arg(6)->Unit(benchmark::kMillisecond);

void find_network(benchmark::State& state) {
  const std::vector<config::Network> list = networks(state.range(0) == 6);
  const policy::CidrSet set(list);
  std::vector<policy::IpBytes> asked;
  Numbers numbers;
  for (size_t i = 0; i < 65'536; ++i) {
    asked.push_back(list[numbers.next() % list.size()].bytes);
    asked.back()[15] = static_cast<uint8_t>(asked.back()[15] ^ (i & 1));  // inside or close by
  }
  size_t at = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(set.contains(asked[at++ % asked.size()]));
  }
}

BENCHMARK(find_network)->ArgName("ip")->Arg(4)->Arg(6);

/// As a filter asks: with the text of the address.
void find_network_by_text(benchmark::State& state) {
  const policy::CidrSet set(networks(state.range(0) == 6));
  const std::string_view ip = state.range(0) == 6 ? "2001:db8:12:34::56" : "198.51.100.77";
  for (auto _ : state) {
    benchmark::DoNotOptimize(set.contains(ip));
  }
}

BENCHMARK(find_network_by_text)->ArgName("ip")->Arg(4)->Arg(6);

}  // namespace
}  // namespace hangu

BENCHMARK_MAIN();
