// What single looks at a request cost: paths, what is asked for across origins and in codings, keys
// that are hashed, and which part of a split it belongs to.
//   build/release/bin/hangu_request_bench
#include <array>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <benchmark/benchmark.h>

#include "hangu/policy/content_coding.h"
#include "hangu/policy/cors.h"
#include "hangu/policy/facts_match.h"
#include "hangu/policy/path_matcher.h"
#include "hangu/policy/path_rewrite.h"
#include "hangu/policy/path_substitution.h"
#include "hangu/policy/release_split.h"
#include "hangu/policy/request_hash.h"
#include "hangu/policy/traffic_split.h"

#include "bench/micro/allocations.h"
#include "tests/unit/http/memory.h"

namespace hangu::policy {
namespace {

using bench::Allocations;

// --- paths ------------------------------------------------------------------------------------

constexpr std::string_view kPath = "/users/4711/orders/17";

void match_path(benchmark::State& state, const config::RouteMatch& match) {
  const PathMatcher matcher(match);
  std::vector<std::string_view> values(matcher.captures().size());
  if (!matcher.takes(kPath)) {
    state.SkipWithError("the path does not match");
    return;
  }
  const Allocations counted(state);
  for (auto _ : state) {
    benchmark::DoNotOptimize(matcher.takes(kPath));
    matcher.capture(kPath, values);
    benchmark::DoNotOptimize(values.data());
  }
}

void make_path(benchmark::State& state) {
  const std::vector<std::string> names = {"user", "order"};
  const std::array<std::string_view, 2> values = {"4711", "17"};
  const PathMaker maker("/v2/{user}/order/{order}", names);
  std::array<char, 256> to{};
  const Allocations counted(state);
  for (auto _ : state) {
    benchmark::DoNotOptimize(maker.size(values));
    benchmark::DoNotOptimize(maker.write(values, to.data()));
  }
}

void rewrite_prefix(benchmark::State& state) {
  const config::RouteMatch match{.path_prefix = "/users"};
  const Allocations counted(state);
  for (auto _ : state) {
    benchmark::DoNotOptimize(rewrite_path(match, {}, "/v2/", kPath));
  }
}

void substitute_path(benchmark::State& state) {
  const auto substitution =
      PathSubstitution::compile("^/users/([0-9]+)/orders/([0-9]+)$", R"(/v2/\2?user=\1)");
  if (!substitution) {
    state.SkipWithError("the expression does not compile");
    return;
  }
  std::array<char, 256> to{};
  PathSubstitution::Parts parts;
  const Allocations counted(state);
  for (auto _ : state) {
    if (substitution->find(kPath, parts)) {
      benchmark::DoNotOptimize(substitution->bytes_max(kPath, parts));
      benchmark::DoNotOptimize(substitution->write(kPath, parts, to.data()));
    }
  }
}

void substitute_no_path(benchmark::State& state) {
  const auto substitution = PathSubstitution::compile("^/v1/(.*)$", R"(/v2/\1)");
  if (!substitution) {
    state.SkipWithError("the expression does not compile");
    return;
  }
  PathSubstitution::Parts parts;
  const Allocations counted(state);
  for (auto _ : state) {
    benchmark::DoNotOptimize(substitution->find(kPath, parts));
  }
}

BENCHMARK_CAPTURE(match_path, exact, {.path_exact = std::string(kPath)});
BENCHMARK_CAPTURE(match_path, prefix, {.path_prefix = "/users"});
BENCHMARK_CAPTURE(match_path, template, {.path_template = "/users/{user}/orders/{order}"});
BENCHMARK_CAPTURE(match_path, regex,
                  {.path_regex = "/users/(?P<user>[0-9]+)/orders/(?P<order>[0-9]+)"});
BENCHMARK(make_path);
BENCHMARK(rewrite_prefix);
BENCHMARK(substitute_path);
BENCHMARK(substitute_no_path);

// --- other origins ----------------------------------------------------------------------------

config::Cors cors() {
  config::Cors config;
  config.enabled = true;
  config.origins = {"https://app.example.org", "https://admin.example.org",
                    "https://*.example.com"};
  config.patterns = {"https://pr-[0-9]+[.]example[.]net"};
  return config;
}

void cors_origin(benchmark::State& state, std::string_view origin, bool allowed) {
  const CorsPolicy policy(cors());
  if (policy.allows_origin(origin) != allowed) {
    state.SkipWithError("not what was expected of that origin");
    return;
  }
  const Allocations counted(state);
  for (auto _ : state) {
    benchmark::DoNotOptimize(policy.allows_origin(origin));
  }
}

void cors_preflight(benchmark::State& state) {
  const CorsPolicy policy(cors());
  http::test::Memory memory;
  http::HeaderBlock headers(memory.arena());
  headers.add("origin", "https://app.example.org");
  headers.add("access-control-request-method", "PUT");
  headers.add("access-control-request-headers", "Authorization, Content-Type");
  const Allocations counted(state);
  for (auto _ : state) {
    const std::string_view method = preflight_method(http::Method::kOptions, headers);
    const http::Header* const names = headers.find("access-control-request-headers");
    bool allowed = policy.allows_origin(headers.value(http::HeaderName::kOrigin)) &&
                   policy.allows_method(method) && policy.allows_headers(names->value());
    benchmark::DoNotOptimize(allowed);
  }
}

BENCHMARK_CAPTURE(cors_origin, exact, "https://app.example.org", true);
BENCHMARK_CAPTURE(cors_origin, wildcard, "https://a.b.example.com", true);
BENCHMARK_CAPTURE(cors_origin, pattern, "https://pr-1234.example.net", true);
BENCHMARK_CAPTURE(cors_origin, refused, "https://www.example.net", false);
BENCHMARK(cors_preflight);

// --- codings ----------------------------------------------------------------------------------

void negotiate_coding_of_a_browser(benchmark::State& state) {
  http::test::Memory memory;
  http::HeaderBlock headers(memory.arena());
  headers.add(http::HeaderName::kAcceptEncoding, "gzip, deflate, br;q=0.9, zstd;q=0.8, *;q=0.1");
  const config::Compression config;
  const Allocations counted(state);
  for (auto _ : state) {
    benchmark::DoNotOptimize(negotiate_coding(headers, config.codings));
  }
}

void media_type(benchmark::State& state) {
  const MediaTypes types({"text/*", "application/json", "application/javascript", "*+json"});
  const Allocations counted(state);
  for (auto _ : state) {
    benchmark::DoNotOptimize(types.contains("application/problem+json; charset=utf-8"));
  }
}

BENCHMARK(negotiate_coding_of_a_browser);
BENCHMARK(media_type);

// --- keys and facts ---------------------------------------------------------------------------

void split_traffic(benchmark::State& state) {
  const TrafficSplit split(std::vector<uint32_t>(static_cast<size_t>(state.range(0)), 7));
  std::mt19937_64 random(1);
  const Allocations counted(state);
  for (auto _ : state) {
    benchmark::DoNotOptimize(split.share_of(TrafficSplit::bucket_of(random())));
  }
}

void split_while_released(benchmark::State& state) {
  const ReleaseSplit split({90, 0, 10}, 1);
  std::mt19937_64 random(2);
  const Allocations counted(state);
  for (auto _ : state) {
    benchmark::DoNotOptimize(split.share_of(TrafficSplit::bucket_of(random()), 500));
  }
}

void hash_key(benchmark::State& state) {
  using Kind = config::KeyPart::Kind;
  const ClientPrefixes prefixes{.ipv4 = 32, .ipv6 = 64};
  const Allocations counted(state);
  for (auto _ : state) {
    HashedKey key;
    hash_part(Kind::kClientIp, "2001:db8:12:34::56", prefixes, key);
    hash_part(Kind::kHeader, "tenant-4711", prefixes, key);
    benchmark::DoNotOptimize(key);
  }
}

void match_facts(benchmark::State& state) {
  const config::RouteMatch match{
      .headers = {{.name = "x-tenant", .value = "a"}},
      .query = {{.name = "v", .value = "2", .how = config::ValueMatch::kPrefix}},
      .cookies = {{.name = "beta", .value = "1"}}};
  const FactsMatch facts({match.headers, match.cookies, match.clients}, match.query);
  http::test::Memory memory;
  http::HeaderBlock headers(memory.arena());
  headers.add("user-agent", "bench");
  headers.add("x-tenant", "a");
  headers.add("cookie", "session=0123456789abcdef; beta=1");
  const RequestFacts request{
      .headers = &headers, .query = "page=3&v=2.1", .client_ip = "203.0.113.7"};
  if (!facts.takes(request)) {
    state.SkipWithError("the request does not match");
    return;
  }
  const Allocations counted(state);
  for (auto _ : state) {
    benchmark::DoNotOptimize(facts.takes(request));
  }
}

BENCHMARK(split_traffic)->ArgName("upstreams")->Arg(2)->Arg(10);
BENCHMARK(split_while_released);
BENCHMARK(hash_key);
BENCHMARK(match_facts);

}  // namespace
}  // namespace hangu::policy

BENCHMARK_MAIN();
