// What the choice of an endpoint costs, by policy and by the number of endpoints, and what is made
// anew when one comes, goes or falls ill: tables of consistent hashing, subsets, priorities.
//   build/release/bin/hangu_balancing_bench
#include <algorithm>
#include <limits>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <benchmark/benchmark.h>

#include "hangu/policy/choice.h"
#include "hangu/policy/maglev.h"
#include "hangu/policy/peak_ewma.h"
#include "hangu/policy/priority_levels.h"
#include "hangu/policy/ring_hash.h"
#include "hangu/policy/slow_start.h"
#include "hangu/policy/subset.h"
#include "hangu/policy/weighted_turn.h"

#include "bench/micro/allocations.h"

namespace hangu::policy {
namespace {

using bench::Allocations;

constexpr int64_t kSecond = 1'000'000'000;
constexpr int64_t kMillisecond = 1'000'000;
constexpr uint32_t kNobody = std::numeric_limits<uint32_t>::max();
constexpr size_t kRingSize = 16 * 1024;

constexpr auto all = [](size_t) { return true; };

size_t endpoints_of(const benchmark::State& state) {
  return static_cast<size_t>(state.range(0));
}

/// 1, 2, 3, 1, ...
std::vector<uint32_t> weights(size_t count) {
  std::vector<uint32_t> out;
  for (size_t i = 0; i < count; ++i) {
    out.push_back(static_cast<uint32_t>(i % 3 + 1));
  }
  return out;
}

std::vector<std::string> addresses(size_t count) {
  std::vector<std::string> out;
  for (size_t i = 0; i < count; ++i) {
    out.push_back("10.0." + std::to_string(i / 256) + '.' + std::to_string(i % 256) + ":8080");
  }
  return out;
}

/// `names` must outlive them.
std::vector<HashedEndpoint> hashed(const std::vector<std::string>& names) {
  std::vector<HashedEndpoint> out;
  for (size_t i = 0; i < names.size(); ++i) {
    out.push_back({.name = names[i], .weight = static_cast<uint32_t>(i % 3 + 1)});
  }
  return out;
}

std::vector<WeightedTurn::Member> turn_members(size_t count) {
  std::vector<WeightedTurn::Member> out;
  for (const uint32_t weight : weights(count)) {
    out.push_back({.id = static_cast<uint32_t>(out.size()), .weight = weight});
  }
  return out;
}

void sizes(benchmark::internal::Benchmark* bench) {
  bench->ArgName("endpoints")->Arg(3)->Arg(100)->Arg(1000);
}

// --- one request ------------------------------------------------------------------------------

void round_robin(benchmark::State& state) {
  WeightedTurn turn;
  turn.set(turn_members(endpoints_of(state)));
  const Allocations counted(state);
  for (auto _ : state) {
    benchmark::DoNotOptimize(turn.next(kNobody));
  }
}

/// As the balancer does: load by weight, and the request counts from then on.
void least_requests(benchmark::State& state) {
  const std::vector<uint32_t> weight = weights(endpoints_of(state));
  const WeightedSample sample(weight);
  std::vector<uint32_t> active(weight.size());
  const auto cost = [&](size_t at) { return (active[at] + 1) * 1000 / weight[at]; };
  std::mt19937_64 random(1);
  const Allocations counted(state);
  for (auto _ : state) {
    const auto chosen = better_of_two(sample, weight.size(), random(), all, cost);
    active[*chosen] = (active[*chosen] + 1) % 64;
  }
}

void peak_ewma(benchmark::State& state) {
  const std::vector<uint32_t> alike(endpoints_of(state), 1);
  const WeightedSample sample(alike);
  std::vector<PeakEwma> latencies(alike.size());
  int64_t now = kSecond;
  const auto cost = [&](size_t at) { return latencies[at].cost(at % 4, now); };
  std::mt19937_64 random(2);
  const Allocations counted(state);
  for (auto _ : state) {
    const auto chosen = better_of_two(sample, alike.size(), random(), all, cost);
    now += kMillisecond;
    latencies[*chosen].observe(static_cast<double>(now % 7) * 1e6, now);
  }
}

void maglev(benchmark::State& state) {
  const std::vector<std::string> names = addresses(endpoints_of(state));
  const Maglev table(hashed(names));
  std::mt19937_64 random(3);
  const Allocations counted(state);
  for (auto _ : state) {
    benchmark::DoNotOptimize(table.at(random()));
  }
}

/// Every second endpoint is unwell.
void maglev_half_usable(benchmark::State& state) {
  const std::vector<std::string> names = addresses(endpoints_of(state));
  const Maglev table(hashed(names));
  std::mt19937_64 random(4);
  const Allocations counted(state);
  for (auto _ : state) {
    benchmark::DoNotOptimize(table.at(random(), [](size_t at) { return at % 2 == 0; }));
  }
}

void ring_hash(benchmark::State& state) {
  const std::vector<std::string> names = addresses(endpoints_of(state));
  const RingHash ring(hashed(names), kRingSize);
  std::mt19937_64 random(5);
  const Allocations counted(state);
  for (auto _ : state) {
    benchmark::DoNotOptimize(ring.at(random(), all));
  }
}

void bounded_load(benchmark::State& state) {
  uint64_t active = 0;
  const Allocations counted(state);
  for (auto _ : state) {
    benchmark::DoNotOptimize(has_room(++active % 128, 2, 64'000, 2000, 125));
  }
}

BENCHMARK(round_robin)->Apply(sizes);
BENCHMARK(least_requests)->Apply(sizes);
BENCHMARK(peak_ewma)->Apply(sizes);
BENCHMARK(maglev)->Apply(sizes);
BENCHMARK(maglev_half_usable)->Apply(sizes);
BENCHMARK(ring_hash)->Apply(sizes);
BENCHMARK(bounded_load);

// --- when the endpoints or their health change ------------------------------------------------

void make_round_robin(benchmark::State& state) {
  const std::vector<WeightedTurn::Member> members = turn_members(endpoints_of(state));
  WeightedTurn turn;
  for (auto _ : state) {
    turn.set(members);
    benchmark::DoNotOptimize(turn);
  }
}

void make_weighted_sample(benchmark::State& state) {
  const std::vector<uint32_t> weight = weights(endpoints_of(state));
  for (auto _ : state) {
    const WeightedSample sample(weight);
    benchmark::DoNotOptimize(sample);
  }
}

void make_maglev(benchmark::State& state) {
  const std::vector<std::string> names = addresses(endpoints_of(state));
  const std::vector<HashedEndpoint> endpoints = hashed(names);
  for (auto _ : state) {
    const Maglev table(endpoints);
    benchmark::DoNotOptimize(table);
  }
}

void make_ring_hash(benchmark::State& state) {
  const std::vector<std::string> names = addresses(endpoints_of(state));
  const std::vector<HashedEndpoint> endpoints = hashed(names);
  for (auto _ : state) {
    const RingHash ring(endpoints, kRingSize);
    benchmark::DoNotOptimize(ring);
  }
}

/// Twenty endpoints for each worker.
void make_subset(benchmark::State& state) {
  const std::vector<std::string> text = addresses(endpoints_of(state));
  const std::vector<std::string_view> names(text.begin(), text.end());
  uint32_t worker = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(subset(names, 20, 7, ++worker % 16));
  }
}

/// Three priorities, of which every third endpoint is unwell.
void spread_over_priorities(benchmark::State& state) {
  std::vector<LevelMember> members;
  for (size_t i = 0; i < endpoints_of(state); ++i) {
    members.push_back({.priority = static_cast<uint32_t>(i / 2 % 3), .well = i % 3 != 0});
  }
  for (auto _ : state) {
    benchmark::DoNotOptimize(priority_levels(members, 50));
  }
}

void slow_start(benchmark::State& state) {
  config::SlowStart options;
  options.window = std::chrono::seconds(60);
  options.aggression = 2;
  int64_t now = kSecond;
  for (auto _ : state) {
    now = now % (60 * kSecond) + kMillisecond;
    benchmark::DoNotOptimize(share_of(options, 1, now));
  }
}

BENCHMARK(make_round_robin)->Apply(sizes);
BENCHMARK(make_weighted_sample)->Apply(sizes);
BENCHMARK(make_maglev)->Apply(sizes)->Unit(benchmark::kMicrosecond);
BENCHMARK(make_ring_hash)->Apply(sizes)->Unit(benchmark::kMicrosecond);
BENCHMARK(make_subset)->Apply(sizes)->Unit(benchmark::kMicrosecond);
BENCHMARK(spread_over_priorities)->Apply(sizes);
BENCHMARK(slow_start);

}  // namespace
}  // namespace hangu::policy

BENCHMARK_MAIN();
