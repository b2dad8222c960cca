#include "hangu/policy/latency_window.h"

#include <algorithm>

namespace hangu::policy {

size_t LatencyWindow::bucket_of(uint64_t us) noexcept {
  if (us < uint64_t{1} << kLinearBits) {
    return us;
  }
  const auto octave = static_cast<unsigned>(std::bit_width(us)) - 1;
  if (octave >= kOctaves) {
    return kBuckets - 1;
  }
  const size_t step = us >> (octave - kStepBits) & ((1U << kStepBits) - 1);
  return (size_t{1} << kLinearBits) + (size_t{octave - kLinearBits} << kStepBits) + step;
}

/// The least of the next bucket.
uint64_t LatencyWindow::upper_bound_us(size_t bucket) noexcept {
  if (bucket + 1 < (size_t{1} << kLinearBits)) {
    return bucket + 1;
  }
  const size_t next = bucket + 1 - (size_t{1} << kLinearBits);
  const size_t octave = (next >> kStepBits) + kLinearBits;
  const uint64_t step = next & ((1U << kStepBits) - 1);
  return (uint64_t{1} << octave) + (step << (octave - kStepBits));
}

void LatencyWindow::fade(TimePoint now) noexcept {
  if (now - halved_ < kHalving) {
    return;
  }
  // Long silence: nothing is left of what was.
  const bool all = now - halved_ >= kHalving * 8;
  halved_ = now;
  count_ = 0;
  for (uint32_t& count : counts_) {
    count = all ? 0 : count / 2;
    count_ += count;
  }
}

void LatencyWindow::record(Duration latency, TimePoint now) noexcept {
  fade(now);
  const int64_t ns = std::max<int64_t>(latency.count(), 0);
  ++counts_[bucket_of(static_cast<uint64_t>(ns) / 1000)];
  ++count_;
}

Duration LatencyWindow::quantile(uint32_t percent, TimePoint now) noexcept {
  if (found_percent_ == percent && now - found_at_ < kRefresh) {
    return found_;
  }
  fade(now);
  found_percent_ = percent;
  found_at_ = now;
  found_ = Duration::zero();
  if (count_ < kLeast) {
    return found_;
  }
  const uint64_t rank = (uint64_t{count_} * percent + 99) / 100;
  uint64_t below = 0;
  for (size_t bucket = 0; bucket < kBuckets; ++bucket) {
    below += counts_[bucket];
    if (below >= rank) {
      found_ = std::chrono::microseconds(upper_bound_us(bucket));
      break;
    }
  }
  return found_;
}

}  // namespace hangu::policy
