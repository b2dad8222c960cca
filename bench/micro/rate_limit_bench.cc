// What one decision of a rate limit costs, by scope and accuracy: a key that everybody asks for, a
// million keys in turn, and an attacker whose keys never come back. Two threads for what shards
// share.
//   build/release/bin/hangu_rate_limit_bench
#include <memory>
#include <random>
#include <vector>

#include <benchmark/benchmark.h>

#include "hangu/policy/quota_table.h"
#include "hangu/policy/rate_lease.h"
#include "hangu/policy/rate_table.h"

#include "bench/micro/allocations.h"

namespace hangu::policy {
namespace {

using bench::Allocations;

constexpr size_t kKeys = 1'000'000;
constexpr int64_t kSecond = 1'000'000'000;

/// Never exhausted: each decision is an allowed one, with its write.
const Gcra kRate(1'000'000'000, kSecond, 1'000'000'000);

const std::vector<uint64_t>& keys() {
  static const std::vector<uint64_t> kAll = [] {
    std::mt19937_64 random(1);
    std::vector<uint64_t> all(kKeys);
    for (uint64_t& key : all) {
      key = random();
    }
    return all;
  }();
  return kAll;
}

template <class Table>
void one_key(benchmark::State& state) {
  static Table* table = nullptr;
  if (state.thread_index() == 0) {
    table = std::make_unique<Table>(kKeys).release();
  }
  int64_t now = kSecond;
  {
    const Allocations counted(state);
    for (auto _ : state) {
      benchmark::DoNotOptimize(table->take(77, kRate, 1, ++now));
    }
  }
  if (state.thread_index() == 0) {
    std::unique_ptr<Table>(table).reset();
  }
}

/// The same by what is kept of the table beside the limit; `alone`: without a locked instruction.
template <bool alone>
void one_key_quick(benchmark::State& state) {
  RateTable table(kKeys);
  table.take(77, kRate, 1, kSecond);
  const RateTable::Quick quick(table, kRate, 1, alone);
  int64_t now = kSecond;
  const Allocations counted(state);
  for (auto _ : state) {
    benchmark::DoNotOptimize(quick.take(quick.approach(77), 77, ++now));
  }
}

void one_key_leased(benchmark::State& state) {
  static RateTable* table = nullptr;
  if (state.thread_index() == 0) {
    table = std::make_unique<RateTable>(kKeys).release();
  }
  int64_t now = kSecond;
  RateLeases leases;
  {
    const Allocations counted(state);
    for (auto _ : state) {
      benchmark::DoNotOptimize(leases.take(*table, {77, 1, kLeaseMax}, kRate, ++now));
    }
  }
  if (state.thread_index() == 0) {
    std::unique_ptr<RateTable>(table).reset();
  }
}

template <class Table>
void a_million_keys(benchmark::State& state) {
  Table table(kKeys);
  const Gcra rate(1, kSecond, 1000);
  for (const uint64_t key : keys()) {
    table.take(key, rate, 1, kSecond);
  }
  size_t at = 0;
  int64_t now = kSecond;
  const Allocations counted(state);
  for (auto _ : state) {
    benchmark::DoNotOptimize(table.take(keys()[at], rate, 1, ++now));
    at = at + 1 == kKeys ? 0 : at + 1;
  }
}

void a_million_keys_quota(benchmark::State& state) {
  QuotaTable table(kKeys);
  size_t at = 0;
  const Allocations counted(state);
  for (auto _ : state) {
    benchmark::DoNotOptimize(table.take(keys()[at], 7, 1'000'000, 1));
    at = at + 1 == kKeys ? 0 : at + 1;
  }
}

/// Keys that were never seen: both sets of each are searched, and soon found full.
void churn(benchmark::State& state) {
  RateTable table(kKeys / 10);
  const Gcra rate(1, 3600 * kSecond, 1);
  std::mt19937_64 random(2);
  const Allocations counted(state);
  for (auto _ : state) {
    benchmark::DoNotOptimize(table.take(random(), rate, 1, kSecond));
  }
}

BENCHMARK(one_key<ShardRateTable>);
BENCHMARK(one_key<RateTable>)->Threads(1)->Threads(2);
BENCHMARK(one_key_quick<false>);
BENCHMARK(one_key_quick<true>);
BENCHMARK(one_key_leased)->Threads(1)->Threads(2);
BENCHMARK(a_million_keys<ShardRateTable>);
BENCHMARK(a_million_keys<RateTable>);
BENCHMARK(a_million_keys_quota);
BENCHMARK(churn);

}  // namespace
}  // namespace hangu::policy

BENCHMARK_MAIN();
