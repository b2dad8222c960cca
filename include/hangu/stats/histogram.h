// Histogram: how long things took, in log-linear buckets: four to each power of two of
// microseconds, so a quantile is off by at most 19 %. Fixed size, written by one shard, read by any
// thread.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "hangu/base/clock.h"
#include "hangu/stats/counter.h"

namespace hangu::stats {

class Histogram {
 public:
  /// Values from 2^kOctaves µs (134 s) on share the last bucket.
  static constexpr unsigned kOctaves = 27;
  static constexpr unsigned kLinear = 16;  // one bucket for each of the first microseconds
  static constexpr size_t kBuckets = kLinear + (kOctaves - 4) * 4 + 1;

  void record(Duration duration) noexcept {
    const int64_t ns = duration.count();
    const uint64_t us = ns > 0 ? static_cast<uint64_t>(ns) / 1000 : 0;
    buckets_[bucket_of(us)].add();
    count_.add();
    sum_us_.add(us);
  }

  uint64_t count() const noexcept { return count_.value(); }

  uint64_t sum_us() const noexcept { return sum_us_.value(); }

  uint64_t bucket(size_t index) const noexcept { return buckets_[index].value(); }

  /// The bucket that holds durations of `us` microseconds.
  static constexpr size_t bucket_of(uint64_t us) noexcept {
    if (us < kLinear) {
      return us;
    }
    const auto octave = static_cast<unsigned>(std::bit_width(us)) - 1;
    if (octave >= kOctaves) {
      return kBuckets - 1;
    }
    return kLinear + (octave - 4) * 4 + ((us >> (octave - 2)) & 3);
  }

  /// The least duration of a bucket, in microseconds.
  static constexpr uint64_t lowest_us(size_t bucket) noexcept {
    if (bucket < kLinear) {
      return bucket;
    }
    const size_t step = bucket - kLinear;
    const size_t octave = 4 + step / 4;
    return (uint64_t{1} << octave) + (step % 4) * (uint64_t{1} << (octave - 2));
  }

 private:
  std::array<Counter, kBuckets> buckets_;
  Counter count_;
  Counter sum_us_;
};

}  // namespace hangu::stats
