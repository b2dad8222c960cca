#include "hangu/policy/release_guard.h"

#include <algorithm>
#include <numeric>

#include <fmt/format.h>

#include "hangu/base/proportion.h"

namespace hangu::policy {
namespace {

using stats::Histogram;

/// Where a bucket ends; the last one has no end.
uint64_t end_us(size_t bucket) noexcept {
  return Histogram::lowest_us(std::min(bucket + 1, Histogram::kBuckets - 1));
}

double ratio_of(config::Percent percent) {
  return static_cast<double>(percent.millionths) / config::Percent::kAll;
}

double milliseconds(uint64_t us) {
  return static_cast<double>(us) / 1000;
}

/// What may be slower, of 100 requests.
constexpr double kTail = 0.01;

Verdict judge_errors(const config::ReleaseGuard& guard, const ReleaseNumbers& released,
                     const ReleaseBaseline& baseline) {
  const double most = baseline.error_ratio + ratio_of(guard.error_ratio_delta);
  const bool bad = least_likely_ratio(released.errors, released.requests) > most;
  return {bad ? Judgement::kErrors : Judgement::kGood,
          fmt::format("errors {:.2f}% of {} requests; the others {:.2f}%, allowed {:.2f}%",
                      released.error_ratio() * 100, released.requests, baseline.error_ratio * 100,
                      most * 100)};
}

/// Good when there is nothing to compare with.
Verdict judge_latency(const config::ReleaseGuard& guard, const ReleaseNumbers& released,
                      const ReleaseBaseline& baseline) {
  if (guard.p99_delta.millionths == 0 || !baseline.known || baseline.p99_us == 0 ||
      released.measured() < guard.requests_min) {
    return {};
  }
  const auto floor = std::chrono::duration_cast<std::chrono::microseconds>(guard.p99_floor).count();
  const auto limit =
      static_cast<uint64_t>(static_cast<double>(baseline.p99_us) * (1 + ratio_of(guard.p99_delta)));
  const uint64_t most = std::max(limit, static_cast<uint64_t>(floor));
  const bool bad = least_likely_ratio(released.slower_than(most), released.measured()) > kTail;
  return {bad ? Judgement::kSlow : Judgement::kGood,
          fmt::format("p99 {:.1f} ms; the others {:.1f} ms, allowed {:.1f} ms",
                      milliseconds(released.p99_us()), milliseconds(baseline.p99_us),
                      milliseconds(most))};
}

}  // namespace

void ReleaseNumbers::add(const ReleaseNumbers& more) noexcept {
  requests += more.requests;
  errors += more.errors;
  for (size_t i = 0; i < latency.size(); ++i) {
    latency[i] += more.latency[i];
  }
}

ReleaseNumbers ReleaseNumbers::since(const ReleaseNumbers& before) const noexcept {
  ReleaseNumbers difference;
  difference.requests = requests - before.requests;
  difference.errors = errors - before.errors;
  for (size_t i = 0; i < latency.size(); ++i) {
    difference.latency[i] = latency[i] - before.latency[i];
  }
  return difference;
}

uint64_t ReleaseNumbers::measured() const noexcept {
  return std::accumulate(latency.begin(), latency.end(), uint64_t{0});
}

uint64_t ReleaseNumbers::p99_us() const noexcept {
  const uint64_t count = measured();
  if (count == 0) {
    return 0;
  }
  const double rank = static_cast<double>(count) * (1 - kTail);
  double below = 0;
  size_t bucket = 0;
  while (bucket + 1 < latency.size() && below + static_cast<double>(latency[bucket]) < rank) {
    below += static_cast<double>(latency[bucket++]);
  }
  const double width = static_cast<double>(end_us(bucket) - Histogram::lowest_us(bucket));
  const double within =
      latency[bucket] == 0 ? 0 : (rank - below) / static_cast<double>(latency[bucket]);
  return Histogram::lowest_us(bucket) + static_cast<uint64_t>(within * width);
}

uint64_t ReleaseNumbers::slower_than(uint64_t us) const noexcept {
  const size_t bucket = Histogram::bucket_of(us);
  uint64_t slower = 0;
  for (size_t i = bucket + 1; i < latency.size(); ++i) {
    slower += latency[i];
  }
  const uint64_t width = end_us(bucket) - Histogram::lowest_us(bucket);
  if (width == 0) {
    return slower;  // the last one: nobody knows
  }
  const double beyond = static_cast<double>(end_us(bucket) - us) / static_cast<double>(width);
  return slower + static_cast<uint64_t>(beyond * static_cast<double>(latency[bucket]));
}

void ReleaseWindow::add(const ReleaseEvidence& more, int64_t now_ms) noexcept {
  const int64_t number = now_ms / slice_ms_;
  Slice& slice = slices_[static_cast<size_t>(number) % slices_.size()];
  if (slice.number != number) {
    slice = {.number = number, .evidence = {}};
  }
  slice.evidence.add(more);
}

ReleaseEvidence ReleaseWindow::sum(int64_t now_ms) const noexcept {
  const int64_t number = now_ms / slice_ms_;
  ReleaseEvidence sum;
  for (const Slice& slice : slices_) {
    if (slice.number >= 0 && slice.number <= number && slice.number >= number - kSlices) {
      sum.add(slice.evidence);
    }
  }
  return sum;
}

std::string_view to_string(Judgement judgement) noexcept {
  switch (judgement) {
    case Judgement::kTooFew: return "too_few_requests";
    case Judgement::kGood: return "";
    case Judgement::kErrors: return "error_ratio";
    case Judgement::kSlow: return "p99";
  }
  return "";
}

Verdict judge(const config::ReleaseGuard& guard, const ReleaseEvidence& evidence,
              ReleaseBaseline& baseline) {
  const ReleaseNumbers& others = evidence.others;
  if (others.requests >= guard.requests_min) {
    baseline = {.known = true, .error_ratio = others.error_ratio(), .p99_us = others.p99_us()};
  }
  const ReleaseNumbers& released = evidence.released;
  if (released.requests < guard.requests_min) {
    return {Judgement::kTooFew,
            fmt::format("{} of {} requests", released.requests, guard.requests_min)};
  }
  Verdict errors = judge_errors(guard, released, baseline);
  if (errors.bad()) {
    return errors;
  }
  Verdict latency = judge_latency(guard, released, baseline);
  if (latency.bad()) {
    return latency;
  }
  const std::string_view between = latency.numbers.empty() ? "" : "; ";
  return {Judgement::kGood, errors.numbers + std::string(between) + latency.numbers};
}

}  // namespace hangu::policy
