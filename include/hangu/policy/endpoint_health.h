// EndpointHealth: what the node's requests have shown of one endpoint, shared by all shards: it is
// ejected for a while after failures in a row. Pure; the caller brings the time. Any thread.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>

#include "hangu/config/config.h"

namespace hangu::policy {

class EndpointHealth {
 public:
  bool usable(int64_t now_ns) const noexcept {
    return ejected_until_ns_.load(std::memory_order_relaxed) <= now_ns;
  }

  void succeeded() noexcept {
    if (failures_.load(std::memory_order_relaxed) != 0) {
      failures_.store(0, std::memory_order_relaxed);
    }
  }

  /// Whether there have been enough in a row.
  bool failed(uint32_t enough) noexcept {
    return failures_.fetch_add(1, std::memory_order_relaxed) + 1 >= enough;
  }

  /// For longer each time, unless it was well for as long as it would be ejected now. `jitter`:
  /// 0 … 1, spreads the return of several by a tenth. 0: somebody else has ejected it; else for how
  /// long.
  int64_t eject(const config::Ejection& options, double jitter, int64_t now_ns) noexcept {
    int64_t until = ejected_until_ns_.load(std::memory_order_relaxed);
    if (until > now_ns) {
      return 0;
    }
    const int64_t most = std::max(options.time_max.count(), options.time.count());
    int64_t times = ejections_.load(std::memory_order_relaxed) + 1;
    int64_t length = std::min(options.time.count() * times, most);
    if (until != 0 && now_ns - until > length) {
      times = 1;
      length = options.time.count();
    }
    length += static_cast<int64_t>(static_cast<double>(length) * jitter / 10);
    if (!ejected_until_ns_.compare_exchange_strong(until, now_ns + length,
                                                   std::memory_order_relaxed)) {
      return 0;
    }
    ejections_.store(static_cast<uint32_t>(std::min<int64_t>(times, 1'000'000)),
                     std::memory_order_relaxed);
    failures_.store(0, std::memory_order_relaxed);
    return length;
  }

  /// From now on; 0: it is not.
  int64_t ejected_for_ns(int64_t now_ns) const noexcept {
    return std::max<int64_t>(ejected_until_ns_.load(std::memory_order_relaxed) - now_ns, 0);
  }

 private:
  std::atomic<uint32_t> failures_{0};  // in a row
  std::atomic<uint32_t> ejections_{0};
  std::atomic<int64_t> ejected_until_ns_{0};
};

}  // namespace hangu::policy
