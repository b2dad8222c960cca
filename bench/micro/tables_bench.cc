// What it costs to remember: tokens that were used, sessions that were ended, wrong passwords, what
// was taken of keys, and which window of the calendar it is.
//   build/release/bin/hangu_tables_bench
#include <random>

#include <benchmark/benchmark.h>

#include "hangu/policy/calendar.h"
#include "hangu/policy/key_costs.h"
#include "hangu/policy/lockout_table.h"
#include "hangu/policy/logout_table.h"
#include "hangu/policy/replay_table.h"

#include "bench/micro/allocations.h"

namespace hangu::policy {
namespace {

using bench::Allocations;

constexpr size_t kEntries = 100'000;
constexpr int64_t kStart = 1'700'000'000;  // Unix time

/// Ten thousand tokens a second, each good for three minutes: more than there is room for, so the
/// oldest are always about to make some.
void use_once(benchmark::State& state) {
  ReplayTable table(20 * kEntries, kStart);
  std::mt19937_64 random(1);
  int64_t tokens = 0;
  const Allocations counted(state);
  for (auto _ : state) {
    const int64_t now = kStart + ++tokens / 10'000;
    benchmark::DoNotOptimize(table.use(random(), random(), now + 180, now));
  }
}

void use_again(benchmark::State& state) {
  ReplayTable table(kEntries, kStart);
  table.use(7ULL << 40, 9ULL << 40, kStart + 180, kStart);
  const Allocations counted(state);
  for (auto _ : state) {
    benchmark::DoNotOptimize(table.use(7ULL << 40, 9ULL << 40, kStart + 180, kStart));
  }
}

/// `entries` sessions have been ended; none of those that are asked for.
void session_goes_on(benchmark::State& state) {
  LogoutTable table(kEntries, kStart);
  std::mt19937_64 random(2);
  for (int64_t i = 0; i < state.range(0); ++i) {
    table.end(random(), kStart + 1, 3600);
  }
  const Allocations counted(state);
  for (auto _ : state) {
    benchmark::DoNotOptimize(table.ended(random(), kStart));
  }
}

void end_session(benchmark::State& state) {
  LogoutTable table(kEntries, kStart);
  std::mt19937_64 random(3);
  int64_t sessions = 0;
  const Allocations counted(state);
  for (auto _ : state) {
    benchmark::DoNotOptimize(table.end(random(), kStart + ++sessions / 10, 3600));
  }
}

/// Somebody tries passwords under ever new names.
void wrong_password(benchmark::State& state) {
  LockoutTable table(kEntries);
  const LockoutTable::Rules rules{.attempts = 5, .window = std::chrono::minutes(10)};
  std::mt19937_64 random(4);
  TimePoint now{std::chrono::hours(1)};
  const Allocations counted(state);
  for (auto _ : state) {
    const uint64_t key = random() % (4 * kEntries);
    now += std::chrono::microseconds(100);
    if (table.locked_for(key, rules, now) == Duration::zero()) {
      table.fail(key, rules, now);
    }
  }
}

/// Grown once, it asks for no memory.
void sum_up_costs(benchmark::State& state) {
  KeyCosts costs;
  for (uint64_t key = 0; key < 10'000; ++key) {
    costs.add(1, key * 7919, 1, kEntries);
  }
  std::mt19937_64 random(5);
  const Allocations counted(state);
  for (auto _ : state) {
    benchmark::DoNotOptimize(costs.add(1, random() % 10'000 * 7919, 1, kEntries));
  }
}

void window_of_the_calendar(benchmark::State& state) {
  config::Quota quota;
  quota.per = config::QuotaPeriod::kMonth;
  quota.offset_minutes = 480;
  int64_t now = kStart;
  const Allocations counted(state);
  for (auto _ : state) {
    benchmark::DoNotOptimize(calendar_window(quota, now += 3600));
  }
}

BENCHMARK(use_once);
BENCHMARK(use_again);
BENCHMARK(session_goes_on)->ArgName("entries")->Arg(0)->Arg(1)->Arg(50'000);
BENCHMARK(end_session);
BENCHMARK(wrong_password);
BENCHMARK(sum_up_costs);
BENCHMARK(window_of_the_calendar);

}  // namespace
}  // namespace hangu::policy

BENCHMARK_MAIN();
