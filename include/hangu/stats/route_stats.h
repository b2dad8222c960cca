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

/// What the actions of a route did.
struct RouteActionCounters {
  Counter preflights;                 // answered
  Counter clients_shadow;             // requests that would have been refused by their address
  Counter cors_shadow;                // the same by the page they come from
  std::array<Counter, 3> compressed;  // responses, by config::ContentCoding
  Counter compression_skipped;        // responses: the memory for it was used up
  Counter compression_bytes_in;
  Counter compression_bytes_out;
  Counter faults_aborted;
  Counter faults_delayed;
  Counter faults_skipped;       // delays: too many at once
  Counter faults_shadow;        // would have been made
  Gauge delayed;                // requests now
  Counter mirrored;             // copies sent
  Counter mirror_skipped_body;  // too large
  Counter mirror_skipped_busy;  // too many at once, or the circuit breaker is open
  Counter openapi_passed;       // requests that are as described
  Counter openapi_refused;
  Counter openapi_shadow;     // would have been refused
  Counter openapi_unchecked;  // not described, or too large
};

struct alignas(kCacheLine) RouteSlot {
  std::array<Counter, 6> responses;  // by status_class()
  Counter request_bytes;             // of bodies
  Counter response_bytes;
  RouteActionCounters actions;
  Counter circuit_rejected;  // requests while the route's circuit breaker was open
  Counter circuit_shadow_rejected;
  Counter circuit_opened;  // times
  Histogram latency;       // first byte of the request to the last byte of the response queued

  void count(int status, uint64_t bytes_in, uint64_t bytes_out, Duration duration) noexcept {
    responses[status_class(status)].add();
    request_bytes.add(bytes_in);
    response_bytes.add(bytes_out);
    latency.record(duration);
  }
};

class RouteStats : public PerShard<RouteSlot> {
 public:
  using PerShard::PerShard;

  Gauge circuit_state;  // 0 closed, 1 open, 2 half-open; set by whoever changes it
};

}  // namespace hangu::stats
