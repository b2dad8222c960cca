// UpstreamStats: what one upstream was asked and how it answered. Lives on over config generations
// as long as the upstream's name does.
#pragma once

#include <array>
#include <cstdint>

#include "hangu/base/clock.h"
#include "hangu/stats/histogram.h"
#include "hangu/stats/labelled_counters.h"
#include "hangu/stats/per_shard.h"
#include "hangu/stats/route_stats.h"

namespace hangu::stats {

struct alignas(kCacheLine) UpstreamSlot {
  Counter requests;
  Gauge active;       // requests under way
  Gauge connections;  // open, idle ones included
  Counter connects;   // connections begun
  Counter connect_failures;
  Counter http2_connections;       // made
  Counter tls_handshakes_full;     // that succeeded
  Counter tls_handshakes_resumed;  // the same
  Counter reuses;                  // requests on a connection that had served before
  Counter replays;                 // sent again because a reused connection turned out closed
  Counter retries;                 // sent again for another reason
  Counter retry_overflows;         // not sent again: over the budget
  Counter failures;                // requests without a complete answer
  Counter ejections;               // of endpoints
  Counter shadow_ejections;
  Counter circuit_rejected;           // requests while the circuit breaker was open
  Counter circuit_shadow_rejected;    // that would have been
  Counter circuit_opened;             // times
  Counter admission_rejected;         // requests in proportion to failures
  Counter admission_shadow_rejected;  // that would have been
  Counter adaptive_rejected;          // requests over the adaptive concurrency limit
  Counter adaptive_shadow_rejected;   // that would have been
  Counter mirrored_answered;          // copies of requests, with their whole answer
  Counter mirrored_failed;
  Gauge slots;    // requests that count against `requests_max`
  Gauge pending;  // requests that wait for a connection
  Gauge queued;   // requests that wait for a slot
  Counter queue_entered;
  Counter queue_timeouts;
  Counter overflow_requests;  // refused: over a limit
  Counter overflow_pending;
  Counter overflow_connections;  // waited: no further connection was allowed
  Counter shadow_overflows;      // that would have been refused, were that in force
  Counter hedges;                // second tries while the first was under way
  Counter hedges_won;
  Counter shadow_hedges;
  Counter hedge_overflows;  // not begun: over the budget
  Counter bytes_received;
  std::array<Counter, 6> responses;  // by status_class()
  LabelledCounters tls_failures;     // by reason
  Histogram latency;                 // request sent to response head

  void count_response(int status, Duration duration) noexcept {
    responses[status_class(status)].add();
    latency.record(duration);
  }
};

class UpstreamStats : public PerShard<UpstreamSlot> {
 public:
  using Slot = UpstreamSlot;
  using PerShard::PerShard;

  /// Each endpoint is in one of these states.
  struct EndpointCounts {
    uint64_t usable = 0;
    uint64_t ejected = 0;
    uint64_t unhealthy = 0;  // the health checks say so
    uint64_t draining = 0;
    uint64_t maintenance = 0;
  };

  // Written by the control thread.
  Gauge usable;
  Gauge ejected;
  Gauge unhealthy;
  Gauge draining;
  Gauge maintenance;
  Gauge panic;  // 1: all endpoints of a priority are used although few of them are well
  Counter checks_good;
  Counter checks_bad;
  Counter outliers;  // endpoints ejected by the statistics of an interval
  Counter shadow_outliers;

  void set_endpoints(const EndpointCounts& counts) noexcept {
    usable.set(counts.usable);
    ejected.set(counts.ejected);
    unhealthy.set(counts.unhealthy);
    draining.set(counts.draining);
    maintenance.set(counts.maintenance);
  }

  Gauge adaptive_limit;  // of concurrency; set by whoever moves it
  Gauge circuit_state;   // 0 closed, 1 open, 2 half-open; set by whoever changes it
  // The limits in force, 0: none. Set by the control thread.
  Gauge requests_max;
  Gauge pending_max;
  Gauge connections_max;
};

}  // namespace hangu::stats
