// What the audit log costs: the shard's part (making and packing a record, handing it over), and
// the writer's (unpacking, hiding, text, digest), each on one core.
#include <array>
#include <string>

#include <benchmark/benchmark.h>

#include "hangu/audit/chain.h"
#include "hangu/audit/mask.h"
#include "hangu/audit/record.h"
#include "hangu/audit/record_ring.h"

namespace {

namespace audit = hangu::audit;
using audit::Number;
using audit::Text;

/// A request as it is recorded: 24 members, 0.7 KiB as a line.
audit::Record make_record() {
  audit::Record record;
  record.time = hangu::WallTime(std::chrono::seconds(1'700'000'000));
  record.generation = 3;
  record.set(Text::kRequestId, "0190a138-1234-7abc-8def-a13812345678");
  record.set(Text::kTraceId, "4bf92f3577b34da6a3ce929d0e0e4736");
  record.set(Text::kClientIp, "192.0.2.17");
  record.set(Text::kClientIpSource, "peer");
  record.set(Text::kListener, "web");
  record.set(Text::kMethod, "GET");
  record.set(Text::kHost, "api.example.org");
  record.set(Text::kPath, "/v1/users/1234/orders/20261126");
  record.set(Text::kQuery, "page=2&size=50");
  record.set(Text::kRoute, "users");
  record.set(Text::kUpstream, "users-v1");
  record.set(Text::kUpstreamAddress, "198.51.100.7:8080");
  record.set(Number::kClientPort, 50123);
  record.set(Number::kStatus, 200);
  record.set(Number::kRequestBytes, 0);
  record.set(Number::kResponseBytes, 1024);
  record.set(Number::kDuration, 1'234'567);
  record.set(Number::kFirstByte, 1'034'567);
  return record;
}

void BM_ShardPart(benchmark::State& state) {
  audit::RecordRing ring(4 * 1024 * 1024);
  std::array<char, audit::kPackedBytesMax> buffer;
  for (auto _ : state) {
    const audit::Record record = make_record();
    const bool taken = ring.append(audit::pack(record, buffer));
    benchmark::DoNotOptimize(taken);
    ring.consume(ring.held());
  }
  state.SetItemsProcessed(state.iterations());
}

void write_records(benchmark::State& state, audit::DigestKind kind, bool mask) {
  std::array<char, audit::kPackedBytesMax> buffer;
  const std::string packed(audit::pack(make_record(), buffer));
  auto masker = audit::Masker::create({});
  audit::Chain chain(kind, "gw-1", {});
  std::string lines;
  for (auto _ : state) {
    audit::Record record = audit::unpack(packed);
    if (mask) {
      record.set(Text::kPath, masker->path(record.text(Text::kPath)));
      record.set(Text::kQuery, masker->query(record.text(Text::kQuery)));
    }
    chain.append(record, 0, lines);
    if (lines.size() > 1024 * 1024) {
      benchmark::DoNotOptimize(lines.data());
      lines.clear();
    }
  }
  state.SetItemsProcessed(state.iterations());
}

void BM_WriterSha256(benchmark::State& state) {
  write_records(state, audit::DigestKind::kSha256, true);
}

void BM_WriterSha256Unmasked(benchmark::State& state) {
  write_records(state, audit::DigestKind::kSha256, false);
}

void BM_WriterSm3(benchmark::State& state) {
  write_records(state, audit::DigestKind::kSm3, true);
}

BENCHMARK(BM_ShardPart);
BENCHMARK(BM_WriterSha256);
BENCHMARK(BM_WriterSha256Unmasked);
BENCHMARK(BM_WriterSm3);

}  // namespace

BENCHMARK_MAIN();
