#include "hangu/policy/adaptive_limit.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "hangu/base/assert.h"

namespace hangu::policy {
namespace {

constexpr double kGradientMin = 0.5;
constexpr double kGradientMax = 2.0;
// The limit grows up to so many times what was under way: room for a burst, none for a flood.
constexpr uint32_t kHeadroom = 8;
constexpr int64_t kOthersAgeNs = 1'000'000;
// A measurement that lowers the limit ends after this, with what it has, if that is so much.
constexpr int64_t kMeasuringMaxNs = 5'000'000'000;
constexpr uint32_t kMeasuredMin = 5;

uint64_t next_random(uint64_t& state) {
  state += 0x9e3779b97f4a7c15ULL;  // splitmix64
  uint64_t mixed = state;
  mixed = (mixed ^ (mixed >> 30U)) * 0xbf58476d1ce4e5b9ULL;
  mixed = (mixed ^ (mixed >> 27U)) * 0x94d049bb133111ebULL;
  return mixed ^ (mixed >> 31U);
}

}  // namespace

// --- latencies --------------------------------------------------------------------------------

size_t LatencySketch::bucket_of(uint64_t us) noexcept {
  if (us < kSteps) {
    return us;
  }
  const auto octave = static_cast<unsigned>(std::bit_width(us)) - 1;
  if (octave >= kOctaves) {
    return kBuckets - 1;
  }
  return kSteps + (octave - 4) * kSteps + ((us >> (octave - 4)) & (kSteps - 1));
}

/// Where a bucket begins.
double LatencySketch::least_us(size_t bucket) noexcept {
  if (bucket < kSteps) {
    return static_cast<double>(bucket);
  }
  const size_t octave = (bucket - kSteps) / kSteps + 4;
  const size_t step = (bucket - kSteps) % kSteps;
  return std::ldexp(static_cast<double>(kSteps + step), static_cast<int>(octave) - 4);
}

void LatencySketch::record(int64_t latency_ns) noexcept {
  const uint64_t us = latency_ns > 0 ? static_cast<uint64_t>(latency_ns) / 1000 : 0;
  std::atomic<uint32_t>& count = counts_[bucket_of(us)];
  count.store(count.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

void LatencySketch::add_to(Counts& sum) const noexcept {
  for (size_t i = 0; i < kBuckets; ++i) {
    sum[i] += counts_[i].load(std::memory_order_relaxed);
  }
}

uint32_t LatencySketch::count(const Counts& now, const Counts& before) noexcept {
  uint32_t sum = 0;
  for (size_t i = 0; i < kBuckets; ++i) {
    sum += now[i] - before[i];
  }
  return sum;
}

double LatencySketch::median_ns(const Counts& now, const Counts& before) noexcept {
  const double half = static_cast<double>(count(now, before)) / 2;
  double seen = 0;
  for (size_t i = 0; i < kBuckets && half > 0; ++i) {
    const auto here = static_cast<double>(now[i] - before[i]);
    if (here > 0 && seen + here >= half) {
      const double least = least_us(i);
      const double width = (i + 1 < kBuckets ? least_us(i + 1) : least) - least;
      return (least + width * (half - seen) / here) * 1000;
    }
    seen += here;
  }
  return 0;
}

// --- admission --------------------------------------------------------------------------------

AdaptiveLimit::AdaptiveLimit(uint32_t shards, uint64_t seed)
    : slots_(std::make_unique<Slot[]>(shards)),
      shards_(shards),
      random_(seed) {}

uint32_t AdaptiveLimit::others_than(uint32_t shard, Slot& slot, int64_t now_ns,
                                    int64_t age_max_ns) noexcept {
  if (now_ns - slot.others_at_ns > age_max_ns) {
    slot.others_at_ns = now_ns;
    slot.others = 0;
    for (uint32_t i = 0; i < shards_; ++i) {
      slot.others += i != shard ? slots_[i].under_way.load(std::memory_order_relaxed) : 0;
    }
  }
  return slot.others;
}

AdaptiveLimit::Admission AdaptiveLimit::admit(uint32_t shard, double share, bool shadow,
                                              const Options& options, int64_t now_ns) noexcept {
  if (now_ns >= update_at_ns_.load(std::memory_order_relaxed)) {
    update(options, now_ns);
  }
  Slot& slot = slots_[shard];
  const uint32_t own = slot.under_way.load(std::memory_order_relaxed);
  const auto room = static_cast<uint32_t>(
      std::ceil(share * static_cast<double>(limit_.load(std::memory_order_relaxed))));
  uint32_t all = own + others_than(shard, slot, now_ns, kOthersAgeNs);
  if (all >= room) {
    all = own + others_than(shard, slot, now_ns, -1);
  }
  const bool over = all >= room;
  if (over && !shadow) {
    return Admission::kNone;
  }
  slot.under_way.store(own + 1, std::memory_order_relaxed);
  if (all + 1 > slot.peak.load(std::memory_order_relaxed)) {
    slot.peak.store(all + 1, std::memory_order_relaxed);
  }
  return over                           ? Admission::kOver
         : all + 1 <= options.limit_min ? Admission::kAtRest
                                        : Admission::kBusy;
}

void AdaptiveLimit::leave(uint32_t shard, Admission admission, std::optional<int64_t> latency_ns,
                          const Options& options, int64_t now_ns) noexcept {
  Slot& slot = slots_[shard];
  const uint32_t own = slot.under_way.load(std::memory_order_relaxed);
  HANGU_DCHECK(own > 0);
  slot.under_way.store(own - 1, std::memory_order_relaxed);
  if (latency_ns) {
    slot.latencies.record(*latency_ns);
    if (admission == Admission::kAtRest) {
      slot.at_rest.record(*latency_ns);
    }
  }
  if (now_ns >= update_at_ns_.load(std::memory_order_relaxed)) {
    update(options, now_ns);
  }
}

// --- the limit --------------------------------------------------------------------------------

LatencySketch::Counts AdaptiveLimit::sum_of(LatencySketch Slot::*sketch) const noexcept {
  LatencySketch::Counts sum{};
  for (uint32_t i = 0; i < shards_; ++i) {
    (slots_[i].*sketch).add_to(sum);
  }
  return sum;
}

int64_t AdaptiveLimit::next_baseline(const Options& options, int64_t now_ns) noexcept {
  const auto interval = static_cast<double>(options.baseline_interval.count());
  const double random = static_cast<double>(next_random(random_) >> 11U) * 0x1.0p-53;
  return now_ns + static_cast<int64_t>(interval * (1 + random * options.jitter_percent / 100));
}

void AdaptiveLimit::update(const Options& options, int64_t now_ns) noexcept {
  if (updating_.exchange(true, std::memory_order_acquire)) {
    return;  // another shard is at it
  }
  if (now_ns >= update_at_ns_.load(std::memory_order_relaxed)) {
    if (limit_.load(std::memory_order_relaxed) == 0) {
      limit_.store(options.limit_min, std::memory_order_relaxed);
      measuring_since_ns_ = now_ns;
    }
    if (update_baseline(options, now_ns)) {
      update_limit(options);
    }
    update_at_ns_.store(now_ns + options.interval.count(), std::memory_order_relaxed);
  }
  updating_.store(false, std::memory_order_release);
}

/// Whether the limit may move: not while the latency at rest is being measured.
bool AdaptiveLimit::update_baseline(const Options& options, int64_t now_ns) noexcept {
  const LatencySketch::Counts at_rest = sum_of(&Slot::at_rest);
  const uint32_t measured = LatencySketch::count(at_rest, seen_at_rest_);
  const Phase phase = phase_.load(std::memory_order_relaxed);
  const bool late = phase != Phase::kRunning && now_ns - measuring_since_ns_ > kMeasuringMaxNs;
  if (measured >= options.baseline_requests || (late && measured >= kMeasuredMin)) {
    baseline_ns_.store(static_cast<int64_t>(LatencySketch::median_ns(at_rest, seen_at_rest_)),
                       std::memory_order_relaxed);
    seen_at_rest_ = at_rest;
  } else if (phase == Phase::kFirst || (phase == Phase::kMeasuring && !late)) {
    return false;  // not enough yet
  } else if (phase == Phase::kRunning && now_ns < baseline_due_ns_) {
    return true;
  } else if (phase == Phase::kRunning) {
    limit_before_ = limit_.exchange(options.limit_min, std::memory_order_relaxed);
    measuring_since_ns_ = now_ns;
    phase_.store(Phase::kMeasuring, std::memory_order_relaxed);
    return false;
  }
  if (phase == Phase::kMeasuring) {
    limit_.store(std::clamp(limit_before_, options.limit_min, options.limit_max),
                 std::memory_order_relaxed);
  }
  if (phase != Phase::kRunning) {
    seen_ = sum_of(&Slot::latencies);  // what was measured says nothing of the limit
  }
  phase_.store(Phase::kRunning, std::memory_order_relaxed);
  baseline_due_ns_ = next_baseline(options, now_ns);
  return phase == Phase::kRunning;
}

void AdaptiveLimit::update_limit(const Options& options) noexcept {
  const LatencySketch::Counts now = sum_of(&Slot::latencies);
  uint32_t peak = 0;
  for (uint32_t i = 0; i < shards_; ++i) {
    peak = std::max(peak, slots_[i].peak.exchange(0, std::memory_order_relaxed));
  }
  if (LatencySketch::count(now, seen_) < options.samples_min) {
    return;  // and go on counting
  }
  const double latency = std::max(LatencySketch::median_ns(now, seen_), 1.0);
  seen_ = now;
  latency_ns_.store(static_cast<int64_t>(latency), std::memory_order_relaxed);
  const auto baseline = static_cast<double>(baseline_ns_.load(std::memory_order_relaxed));
  const double gradient =
      std::clamp(baseline * (1 + static_cast<double>(options.buffer_percent) / 100) / latency,
                 kGradientMin, kGradientMax);
  const uint32_t limit = limit_.load(std::memory_order_relaxed);
  const double scaled = static_cast<double>(limit) * gradient;
  const double next = std::clamp(scaled + std::sqrt(scaled), static_cast<double>(options.limit_min),
                                 static_cast<double>(options.limit_max));
  // What little traffic shows says nothing of how much the upstream could take.
  if (next > limit && peak < limit / kHeadroom) {
    return;
  }
  limit_.store(static_cast<uint32_t>(next), std::memory_order_relaxed);
}

AdaptiveLimit::Status AdaptiveLimit::status() const noexcept {
  Status status{.limit = limit_.load(std::memory_order_relaxed),
                .under_way = 0,
                .baseline_ns = baseline_ns_.load(std::memory_order_relaxed),
                .latency_ns = latency_ns_.load(std::memory_order_relaxed),
                .measuring = phase_.load(std::memory_order_relaxed) != Phase::kRunning};
  for (uint32_t i = 0; i < shards_; ++i) {
    status.under_way += slots_[i].under_way.load(std::memory_order_relaxed);
  }
  return status;
}

}  // namespace hangu::policy
