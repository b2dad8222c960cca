// AdmissionControl: turns requests away in proportion as an upstream answers fewer of them well, so
// that it is relieved before a circuit breaker would have to open, and tried again all the time.
//
//   p(refused) = max(0, (n − ok / success) / (n + 1)) ^ (1 / aggression), at most `reject_max`
//
// over the requests that were let through in the window. One shard's: each sees a fair sample of
// the requests, so all come to about the same share. Pure; the time and the dice are arguments.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>

#include "hangu/config/config.h"

namespace hangu::policy {

class AdmissionControl {
 public:
  using Options = config::Admission;

  /// The share of requests to refuse now.
  double refused_share(const Options& options, int64_t now_ns) noexcept {
    forget(options, now_ns);
    if (all_.requests < std::max<uint64_t>(options.requests_min, 1)) {
      return 0;
    }
    const auto requests = static_cast<double>(all_.requests);
    const double wanted = static_cast<double>(all_.successes) * 100 / options.success_percent;
    const double share = std::max((requests - wanted) / (requests + 1), 0.0);
    return std::min(std::pow(share, 1.0 / options.aggression),
                    static_cast<double>(options.reject_percent_max) / 100);
  }

  /// `random`: all 64 bits.
  bool admits(const Options& options, int64_t now_ns, uint64_t random) noexcept {
    constexpr double kUnit = 0x1.0p-53;
    return static_cast<double>(random >> 11U) * kUnit >= refused_share(options, now_ns);
  }

  /// What became of a request that was let through.
  void report(bool success, const Options& options, int64_t now_ns) noexcept {
    forget(options, now_ns);
    Count& current = slots_[static_cast<size_t>(slot_ % kSlots)];
    ++current.requests;
    ++all_.requests;
    current.successes += success ? 1 : 0;
    all_.successes += success ? 1 : 0;
  }

 private:
  static constexpr int64_t kSlots = 10;  // of a window

  struct Count {
    uint64_t requests = 0;
    uint64_t successes = 0;
  };

  /// What has left the window.
  void forget(const Options& options, int64_t now_ns) noexcept {
    const int64_t now = now_ns / std::max<int64_t>(options.window.count() / kSlots, 1);
    if (now - slot_ >= kSlots || now < slot_) {
      slots_ = {};
      all_ = {};
      slot_ = now;
    }
    while (slot_ < now) {
      Count& next = slots_[static_cast<size_t>(++slot_ % kSlots)];
      all_.requests -= next.requests;
      all_.successes -= next.successes;
      next = {};
    }
  }

  std::array<Count, kSlots> slots_{};
  Count all_;
  int64_t slot_ = 0;  // the number of the current one, of all time
};

}  // namespace hangu::policy
