// AdaptiveLimit: how many requests an upstream gets at once, found out from how long it takes to
// answer (the gradient algorithm). One object an upstream, shared by all shards of the node.
//
//   limit ← limit · g + √(limit · g),  g = latency at rest · (1 + buffer) / latency now,
//
// each the median, g within ½ … 2. As long as answers come about as fast as at rest the limit grows
// by its root; when they take longer, requests queue at the upstream, and it falls. The latency at
// rest is that of requests which found no more than `limit_min` others under way. Most upstreams
// have such moments; for one that has none for a whole `baseline_interval` the limit goes down to
// `limit_min` until enough requests have been measured.
//
// What shards share: the limit, one word. Each counts its requests under way and their latencies in
// memory of its own; whether there is room it tells by its own count and the sum of the others', at
// most a millisecond old, and looks anew before it refuses. So the limit may be exceeded by what
// the others begin in a millisecond. Whoever comes first after the end of an interval adds up.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "hangu/config/config.h"

namespace hangu::policy {

/// Latencies in log-linear buckets, sixteen to each power of two of microseconds. One shard writes,
/// any thread reads.
class LatencySketch {
 public:
  static constexpr unsigned kOctaves = 27;  // 134 s and more share the last bucket
  static constexpr unsigned kSteps = 16;
  static constexpr size_t kBuckets = kSteps + (kOctaves - 4) * kSteps + 1;

  using Counts = std::array<uint32_t, kBuckets>;

  void record(int64_t latency_ns) noexcept;

  /// Adds the counts to `sum`.
  void add_to(Counts& sum) const noexcept;

  /// The median of what is in `now` and was not in `before`, in nanoseconds; 0 for none.
  static double median_ns(const Counts& now, const Counts& before) noexcept;
  static uint32_t count(const Counts& now, const Counts& before) noexcept;

 private:
  static size_t bucket_of(uint64_t us) noexcept;
  static double least_us(size_t bucket) noexcept;

  std::array<std::atomic<uint32_t>, kBuckets> counts_{};
};

class AdaptiveLimit {
 public:
  using Options = config::AdaptiveConcurrency;

  enum class Admission : uint8_t {
    kNone,    // there is no room
    kOver,    // counted although there is none: the limit is not in force
    kBusy,    // counted; others are under way
    kAtRest,  // counted; its latency is one at rest
  };

  struct Status {
    uint32_t limit = 0;
    uint32_t under_way = 0;
    int64_t baseline_ns = 0;  // latency at rest; 0: not known yet
    int64_t latency_ns = 0;   // of the last interval that had enough requests
    bool measuring = false;   // the limit is down to measure the latency at rest
  };

  AdaptiveLimit(uint32_t shards, uint64_t seed);

  AdaptiveLimit(const AdaptiveLimit&) = delete;
  AdaptiveLimit& operator=(const AdaptiveLimit&) = delete;

  /// Whether one more request may go, which may use so much of the limit: `share`, up to 1.
  /// `shadow`: it goes in any case.
  Admission admit(uint32_t shard, double share, bool shadow, const Options& options,
                  int64_t now_ns) noexcept;

  /// Once for each request that was counted. `latency_ns`: until its answer began; none: it got
  /// none, or its latency says nothing.
  void leave(uint32_t shard, Admission admission, std::optional<int64_t> latency_ns,
             const Options& options, int64_t now_ns) noexcept;

  // Any thread.
  uint32_t limit() const noexcept { return limit_.load(std::memory_order_relaxed); }

  Status status() const noexcept;

 private:
  static constexpr size_t kCacheLine = 64;

  struct alignas(kCacheLine) Slot {
    std::atomic<uint32_t> under_way{0};
    std::atomic<uint32_t> peak{0};  // of all shards' requests, as seen here in this interval
    uint32_t others = 0;            // requests of the other shards, as of `others_at_ns`
    int64_t others_at_ns = INT64_MIN / 2;
    LatencySketch latencies;
    LatencySketch at_rest;
  };

  enum class Phase : uint8_t { kFirst, kRunning, kMeasuring };

  uint32_t others_than(uint32_t shard, Slot& slot, int64_t now_ns, int64_t age_max_ns) noexcept;
  void update(const Options& options, int64_t now_ns) noexcept;
  bool update_baseline(const Options& options, int64_t now_ns) noexcept;
  void update_limit(const Options& options) noexcept;
  int64_t next_baseline(const Options& options, int64_t now_ns) noexcept;
  LatencySketch::Counts sum_of(LatencySketch Slot::*sketch) const noexcept;

  std::unique_ptr<Slot[]> slots_;
  uint32_t shards_;
  std::atomic<uint32_t> limit_{0};  // 0: no request has come yet
  std::atomic<int64_t> update_at_ns_{0};
  std::atomic<bool> updating_{false};
  std::atomic<int64_t> baseline_ns_{0};
  std::atomic<int64_t> latency_ns_{0};
  std::atomic<Phase> phase_{Phase::kFirst};
  // Whoever holds updating_ alone uses these.
  LatencySketch::Counts seen_{};
  LatencySketch::Counts seen_at_rest_{};
  int64_t baseline_due_ns_ = 0;
  int64_t measuring_since_ns_ = 0;
  uint32_t limit_before_ = 0;  // measuring
  uint64_t random_;
};

}  // namespace hangu::policy
