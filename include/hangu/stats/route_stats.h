// RouteStats: requests of one route by status class, bytes and latency. Lives on over config
// generations as long as the route's name does.
#pragma once

#include <array>
#include <cstdint>

#include "hangu/base/clock.h"
#include "hangu/stats/histogram.h"
#include "hangu/stats/per_shard.h"
#include "hangu/stats/shard_stats.h"

namespace hangu::stats {

/// 0: none or impossible; 1 to 5: 1xx to 5xx.
constexpr size_t status_class(int status) noexcept {
  return status >= 100 && status < 600 ? static_cast<size_t>(status / 100) : 0;
}

struct alignas(kCacheLine) RouteSlot {
  std::array<Counter, 6> responses;  // by status_class()
  Counter request_bytes;             // of bodies
  Counter response_bytes;
  Histogram latency;  // first byte of the request to the last byte of the response queued

  void count(int status, uint64_t bytes_in, uint64_t bytes_out, Duration duration) noexcept {
    responses[status_class(status)].add();
    request_bytes.add(bytes_in);
    response_bytes.add(bytes_out);
    latency.record(duration);
  }
};

using RouteStats = PerShard<RouteSlot>;

}  // namespace hangu::stats
