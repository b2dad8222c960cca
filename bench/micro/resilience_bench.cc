// What it costs a request that upstreams may fail, be slow or have too much to do: circuit breaker,
// health and outliers, retries and second tries, limits found out and limits given, overload. Two
// threads for what shards share.
//   build/release/bin/hangu_resilience_bench
#include <atomic>
#include <memory>
#include <optional>
#include <random>
#include <vector>

#include <benchmark/benchmark.h>

#include "hangu/policy/adaptive_limit.h"
#include "hangu/policy/admission_control.h"
#include "hangu/policy/byte_rate.h"
#include "hangu/policy/check_streak.h"
#include "hangu/policy/circuit_breaker.h"
#include "hangu/policy/connection_budget.h"
#include "hangu/policy/endpoint_health.h"
#include "hangu/policy/hedge_budget.h"
#include "hangu/policy/in_flight_table.h"
#include "hangu/policy/latency_window.h"
#include "hangu/policy/outliers.h"
#include "hangu/policy/overload.h"
#include "hangu/policy/retry.h"
#include "hangu/policy/shared_slots.h"

#include "bench/micro/allocations.h"
#include "tests/unit/http/memory.h"

namespace hangu::policy {
namespace {

using bench::Allocations;

constexpr uint32_t kShards = 8;
constexpr int64_t kSecond = 1'000'000'000;
constexpr int64_t kMicrosecond = 1000;
constexpr uint32_t kMany = 1'000'000;  // never reached

uint32_t shard_of(const benchmark::State& state) {
  return static_cast<uint32_t>(state.thread_index());
}

// --- circuit breaker --------------------------------------------------------------------------

/// Every `failing`th request fails, 0: none. As long as it is closed only a failure is looked at.
void circuit_breaker_closed(benchmark::State& state) {
  static CircuitBreaker breaker(kShards);
  config::CircuitBreaker options;
  options.own_failures = 0;
  options.failure_percent = 99;
  options.slow_percent = 100;
  const auto failing = static_cast<uint64_t>(state.range(0));
  std::optional<CircuitBreaker::Change> change;
  uint64_t request = 0;
  int64_t now = kSecond;
  const Allocations counted(state);
  for (auto _ : state) {
    now += kMicrosecond;
    const bool fails = failing != 0 && ++request % failing == 0;
    const auto outcome =
        fails ? CircuitBreaker::Outcome::kFailure : CircuitBreaker::Outcome::kSuccess;
    const auto ticket = breaker.admit(now, change).ticket;
    benchmark::DoNotOptimize(breaker.report(options, shard_of(state), ticket, outcome, now));
  }
}

void circuit_breaker_open(benchmark::State& state) {
  CircuitBreaker breaker(kShards);
  config::CircuitBreaker options;
  options.own_failures = 1;
  options.open_time = options.open_time_max = std::chrono::hours(1);
  std::optional<CircuitBreaker::Change> change;
  const auto ticket = breaker.admit(kSecond, change).ticket;
  breaker.report(options, 0, ticket, CircuitBreaker::Outcome::kOwnFailure, kSecond);
  const Allocations counted(state);
  for (auto _ : state) {
    benchmark::DoNotOptimize(breaker.admit(2 * kSecond, change));
  }
}

/// Probe after probe, none of which is the last.
void circuit_breaker_half_open(benchmark::State& state) {
  CircuitBreaker breaker(kShards);
  config::CircuitBreaker options;
  options.own_failures = 1;
  options.successes = kMany;
  std::optional<CircuitBreaker::Change> change;
  const auto ticket = breaker.admit(kSecond, change).ticket;
  breaker.report(options, 0, ticket, CircuitBreaker::Outcome::kOwnFailure, kSecond);
  const Allocations counted(state);
  for (auto _ : state) {
    const auto probe = breaker.admit(100 * kSecond, change).ticket;
    breaker.report(options, 0, probe, CircuitBreaker::Outcome::kUnknown, 100 * kSecond);
  }
}

BENCHMARK(circuit_breaker_closed)->ArgName("failing")->Arg(0)->Arg(2)->Threads(1)->Threads(2);
BENCHMARK(circuit_breaker_open);
BENCHMARK(circuit_breaker_half_open);

// --- health of endpoints ----------------------------------------------------------------------

EndpointHealth& health() {
  static EndpointHealth one(std::make_shared<PoolVersion>(), kShards);
  return one;
}

void endpoint_succeeds(benchmark::State& state) {
  const Allocations counted(state);
  for (auto _ : state) {
    benchmark::DoNotOptimize(health().well(kSecond));
    health().succeeded();
    health().count(shard_of(state), false);
  }
}

void endpoint_fails(benchmark::State& state) {
  config::Ejection options;
  options.failures = options.gateway_failures = UINT32_MAX;
  const Allocations counted(state);
  for (auto _ : state) {
    benchmark::DoNotOptimize(health().failed(options, EndpointHealth::Failure::kGateway));
    health().count(shard_of(state), true);
  }
}

void endpoint_tally(benchmark::State& state) {
  const Allocations counted(state);
  for (auto _ : state) {
    benchmark::DoNotOptimize(health().tally());
  }
}

void check_streak(benchmark::State& state) {
  const config::HealthCheck options;
  CheckStreak streak;
  uint32_t answer = 0;
  const Allocations counted(state);
  for (auto _ : state) {
    benchmark::DoNotOptimize(streak.add(options, ++answer % 7 > 2));
  }
}

/// Once an interval and upstream.
void outliers_of(benchmark::State& state) {
  config::Ejection options;
  options.success_rate.enabled = options.failure_percentage.enabled = true;
  std::mt19937 random(1);
  std::vector<EndpointHealth::Tally> tallies;
  for (int64_t i = 0; i < state.range(0); ++i) {
    tallies.push_back({.requests = 1000, .failures = static_cast<uint32_t>(random() % 20)});
  }
  tallies.back().failures = 900;
  for (auto _ : state) {
    benchmark::DoNotOptimize(outliers(options, tallies));
  }
}

BENCHMARK(endpoint_succeeds)->Threads(1)->Threads(2);
BENCHMARK(endpoint_fails)->Threads(1)->Threads(2);
BENCHMARK(endpoint_tally);
BENCHMARK(check_streak);
BENCHMARK(outliers_of)->ArgName("endpoints")->Arg(10)->Arg(100)->Arg(1000);

// --- retries and second tries -----------------------------------------------------------------

void retry_decision(benchmark::State& state) {
  http::test::Memory memory;
  http::HeaderBlock headers(memory.arena());
  headers.add("user-agent", "bench");
  headers.add("idempotency-key", "8e03978e");
  const config::RetryPolicy policy;
  const RetryReasons reasons(policy);
  const Error error{.code = Errc::kReset, .side = Side::kUpstream, .retry = Retry::kIfReused};
  const Allocations counted(state);
  for (auto _ : state) {
    const auto reason = retry_reason(error);
    bool again = reasons.has(*reason) && may_repeat(policy, http::Method::kPost, headers);
    benchmark::DoNotOptimize(again);
  }
}

void retry_wait(benchmark::State& state) {
  const config::RetryPolicy policy;
  std::mt19937_64 random(2);
  uint32_t retry = 0;
  const Allocations counted(state);
  for (auto _ : state) {
    benchmark::DoNotOptimize(retry_backoff(policy, ++retry % 5 + 1, random()));
  }
}

void retry_after(benchmark::State& state) {
  std::mt19937_64 random(3);
  const Allocations counted(state);
  for (auto _ : state) {
    benchmark::DoNotOptimize(retry_after_wait("1", random()));
  }
}

void hedge_budget(benchmark::State& state) {
  HedgeBudget budget;
  const Allocations counted(state);
  for (auto _ : state) {
    budget.add_request(5);
    benchmark::DoNotOptimize(budget.take());
  }
}

/// A request's latency is noted, and the time after which a second try would follow is looked up.
void latency_window(benchmark::State& state) {
  LatencyWindow window;
  TimePoint now{};
  uint64_t request = 0;
  const Allocations counted(state);
  for (auto _ : state) {
    now += std::chrono::microseconds(100);
    window.record(std::chrono::microseconds(++request * 7919 % 20'000), now);
    benchmark::DoNotOptimize(window.quantile(95, now));
  }
}

BENCHMARK(retry_decision);
BENCHMARK(retry_wait);
BENCHMARK(retry_after);
BENCHMARK(hedge_budget);
BENCHMARK(latency_window);

// --- limits and overload ----------------------------------------------------------------------

/// 4 µs a request, so an interval ends every 25,000. Time goes on from run to run.
void adaptive_limit(benchmark::State& state) {
  static AdaptiveLimit limit(kShards, 1);
  static std::atomic<int64_t> clock{kSecond};
  const config::AdaptiveConcurrency options;
  int64_t now = clock;
  {
    const Allocations counted(state);
    for (auto _ : state) {
      now += 4 * kMicrosecond;
      const auto admission = limit.admit(shard_of(state), 1, false, options, now);
      if (admission != AdaptiveLimit::Admission::kNone) {
        limit.leave(shard_of(state), admission, 2000 * kMicrosecond + now % 1000, options, now);
      }
    }
  }
  clock = now;
}

void admission_control(benchmark::State& state) {
  AdmissionControl control;
  const config::Admission options;
  std::mt19937_64 random(4);
  int64_t now = kSecond;
  uint64_t request = 0;
  const Allocations counted(state);
  for (auto _ : state) {
    now += 10 * kMicrosecond;
    if (control.admits(options, now, random())) {
      control.report(++request % 4 != 0, options, now);
    }
  }
}

void in_flight_one_key(benchmark::State& state) {
  static InFlightTable table(100'000);
  const Allocations counted(state);
  for (auto _ : state) {
    InFlightTable::give_back(*table.take(77ULL << 32, 1000).place);
  }
}

void in_flight_many_keys(benchmark::State& state) {
  static InFlightTable table(100'000);
  std::mt19937_64 random(5 + shard_of(state));
  const Allocations counted(state);
  for (auto _ : state) {
    InFlightTable::give_back(*table.take(random(), 1000).place);
  }
}

void shared_slots(benchmark::State& state) {
  static SharedSlots slots(kShards);
  const Allocations counted(state);
  for (auto _ : state) {
    benchmark::DoNotOptimize(slots.take(100));
    benchmark::DoNotOptimize(slots.give_back(100));
  }
}

/// Whoever ends gives its slot to one who waits, who ends in turn.
void shared_slots_with_a_queue(benchmark::State& state) {
  SharedSlots slots(kShards);
  std::optional<SharedSlots::Grant> grant;
  slots.take(1);
  for (uint32_t shard = 0; shard < kShards; ++shard) {
    slots.wait({.shard = shard}, 1, kMany, grant);
  }
  const Allocations counted(state);
  for (auto _ : state) {
    grant = slots.give_back(1);
    std::optional<SharedSlots::Grant> none;
    slots.wait(*grant, 1, kMany, none);
  }
}

void byte_rate(benchmark::State& state) {
  const ByteRate rate(10'000'000, 64 * 1024);
  int64_t full_at = 0;
  int64_t now = kSecond;
  const Allocations counted(state);
  for (auto _ : state) {
    full_at = rate.reserve(full_at, now += 100 * kMicrosecond, 16 * 1024).full_at_ns;
  }
  benchmark::DoNotOptimize(full_at);
}

void connection_budget(benchmark::State& state) {
  static ConnectionBudget budget;
  const Allocations counted(state);
  for (auto _ : state) {
    if (budget.take(100)) {
      budget.give_back();
    }
  }
}

void overload_step(benchmark::State& state) {
  StepTracker<uint32_t> tracker;
  constexpr config::OverloadSteps<uint32_t> kSteps{.shed_low = 80, .shed_normal = 90, .stop = 100};
  TimePoint now{};
  uint32_t value = 0;
  const Allocations counted(state);
  for (auto _ : state) {
    now += std::chrono::milliseconds(10);
    value = (value + 7) % 110;
    benchmark::DoNotOptimize(tracker.update(value, kSteps, now, std::chrono::seconds(1)));
  }
}

void overload_delay(benchmark::State& state) {
  DelayWindow window;
  TimePoint now{};
  int64_t sample = 0;
  const Allocations counted(state);
  for (auto _ : state) {
    now += std::chrono::milliseconds(10);
    const Duration delay = std::chrono::microseconds(++sample * 7919 % 5000);
    benchmark::DoNotOptimize(window.add(delay, now, std::chrono::milliseconds(100)));
  }
}

BENCHMARK(adaptive_limit)->Threads(1)->Threads(2);
BENCHMARK(admission_control);
BENCHMARK(in_flight_one_key)->Threads(1)->Threads(2);
BENCHMARK(in_flight_many_keys)->Threads(1)->Threads(2);
BENCHMARK(shared_slots)->Threads(1)->Threads(2);
BENCHMARK(shared_slots_with_a_queue);
BENCHMARK(byte_rate);
BENCHMARK(connection_budget)->Threads(1)->Threads(2);
BENCHMARK(overload_step);
BENCHMARK(overload_delay);

}  // namespace
}  // namespace hangu::policy

BENCHMARK_MAIN();
