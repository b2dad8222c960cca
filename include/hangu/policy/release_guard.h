// What a release is judged by: requests, errors and latencies of the upstream that is being
// released and of the others of its split, within a window; and the judgement. Pure: the time is an
// argument, the numbers of several nodes can be added up.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "hangu/config/config.h"
#include "hangu/stats/histogram.h"

namespace hangu::policy {

struct ReleaseNumbers {
  uint64_t requests = 0;
  uint64_t errors = 0;
  std::array<uint64_t, stats::Histogram::kBuckets> latency{};  // until the response began

  void add(const ReleaseNumbers& more) noexcept;
  /// `before`: an earlier state of the same counters.
  ReleaseNumbers since(const ReleaseNumbers& before) const noexcept;

  double error_ratio() const noexcept {
    return requests == 0 ? 0 : static_cast<double>(errors) / static_cast<double>(requests);
  }

  uint64_t measured() const noexcept;
  /// Interpolated within its bucket; 0: nothing was measured.
  uint64_t p99_us() const noexcept;
  /// How many took longer.
  uint64_t slower_than(uint64_t us) const noexcept;

  bool operator==(const ReleaseNumbers&) const = default;
};

struct ReleaseEvidence {
  ReleaseNumbers released;
  ReleaseNumbers others;

  void add(const ReleaseEvidence& more) noexcept {
    released.add(more.released);
    others.add(more.others);
  }

  bool operator==(const ReleaseEvidence&) const = default;
};

/// The evidence of the last `window`, in slices: what is forgotten is up to a tenth older.
class ReleaseWindow {
 public:
  explicit ReleaseWindow(Duration window)
      : slice_ms_(std::max<int64_t>(
            std::chrono::duration_cast<std::chrono::milliseconds>(window).count() / kSlices, 1)) {}

  void add(const ReleaseEvidence& more, int64_t now_ms) noexcept;

  ReleaseEvidence sum(int64_t now_ms) const noexcept;

  void clear() noexcept { slices_ = {}; }

 private:
  static constexpr int64_t kSlices = 10;

  struct Slice {
    int64_t number = -1;
    ReleaseEvidence evidence;
  };

  int64_t slice_ms_;
  std::array<Slice, kSlices + 1> slices_{};
};

/// What the others were like when there were requests enough to tell. Kept, since a release that
/// has come far leaves them few.
struct ReleaseBaseline {
  bool known = false;
  double error_ratio = 0;
  uint64_t p99_us = 0;
  bool operator==(const ReleaseBaseline&) const = default;
};

enum class Judgement : uint8_t { kTooFew, kGood, kErrors, kSlow };

/// "error_ratio", "p99"; the others have no name of their own.
std::string_view to_string(Judgement judgement) noexcept;

struct Verdict {
  Judgement judgement = Judgement::kGood;
  std::string numbers;  // for people

  bool bad() const { return judgement == Judgement::kErrors || judgement == Judgement::kSlow; }
};

/// Bad is what lies beyond the limits by more than chance would have it once in a hundred times.
/// Brings `baseline` up to date first.
Verdict judge(const config::ReleaseGuard& guard, const ReleaseEvidence& evidence,
              ReleaseBaseline& baseline);

}  // namespace hangu::policy
