// LatencyWindow: a quantile of the latest latencies of one shard, of which old ones fade: counts in
// log-linear buckets (eight to each power of two: off by at most 9 %), halved every few seconds.
// Pure; the caller brings the time. One thread.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "hangu/base/clock.h"

namespace hangu::policy {

class LatencyWindow {
 public:
  /// With fewer there is no quantile yet.
  static constexpr uint32_t kLeast = 100;
  static constexpr Duration kHalving = std::chrono::seconds(10);
  /// A quantile is found anew no more often than this.
  static constexpr Duration kRefresh = std::chrono::milliseconds(100);

  void record(Duration latency, TimePoint now) noexcept;

  /// What `percent` of the latencies are at most; 0: there are too few. Up to kRefresh old.
  Duration quantile(uint32_t percent, TimePoint now) noexcept;

 private:
  static constexpr unsigned kLinearBits = 4;  // one bucket for each of the first 16 µs
  static constexpr unsigned kStepBits = 3;
  static constexpr unsigned kOctaves = 27;  // latencies of 134 s on share the last bucket
  static constexpr size_t kBuckets =
      (size_t{1} << kLinearBits) + (size_t{kOctaves - kLinearBits} << kStepBits) + 1;

  static size_t bucket_of(uint64_t us) noexcept;
  static uint64_t upper_bound_us(size_t bucket) noexcept;
  void fade(TimePoint now) noexcept;

  std::array<uint32_t, kBuckets> counts_{};
  uint32_t count_ = 0;
  TimePoint halved_{};
  TimePoint found_at_{};
  uint32_t found_percent_ = 0;
  Duration found_{};
};

}  // namespace hangu::policy
