// What the config says of too much to do: for an upstream, which then gets fewer requests, and for
// the process itself, which then refuses some. Part of config.h.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

#include "hangu/base/clock.h"
#include "hangu/config/mode.h"

namespace hangu::config {

/// Who comes first where not everybody can.
enum class Priority : uint8_t { kLow, kNormal, kHigh };

inline constexpr size_t kPriorities = 3;

/// What an upstream is asked at once, by the whole node. 0: no limit.
struct UpstreamLimits {
  Mode mode = Mode::kEnforce;
  uint32_t requests_max = 0;     // under way
  uint32_t pending_max = 0;      // that wait for a connection
  uint32_t connections_max = 0;  // open, idle ones included
  uint32_t endpoint_connections_max = 0;
  bool operator==(const UpstreamLimits&) const = default;
};

/// Where requests wait that are over `requests_max`.
struct RequestQueue {
  uint32_t max = 0;  // of the whole node; 0: none waits
  Duration timeout = std::chrono::seconds(1);
  bool operator==(const RequestQueue&) const = default;
};

/// When a second endpoint is asked because the first is slow.
struct HedgeDelay {
  uint32_t percentile = 95;  // of the latest latencies; 0: `fixed`
  Duration fixed{};
  bool operator==(const HedgeDelay&) const = default;
};

/// A second try while the first is under way, of requests that only read.
struct Hedging {
  bool enabled = false;
  Mode mode = Mode::kEnforce;
  HedgeDelay after;
  uint32_t percent_max = 5;  // of the requests
  bool operator==(const Hedging&) const = default;
};

/// How many requests an upstream gets at once, found out by how long it takes to answer them.
struct AdaptiveConcurrency {
  bool enabled = false;
  Mode mode = Mode::kEnforce;
  uint32_t limit_min = 3;
  uint32_t limit_max = 1000;
  uint32_t buffer_percent = 25;                           // slower than at best, and still well
  Duration interval = std::chrono::milliseconds(100);     // between two limits
  uint32_t samples_min = 10;                              // in it; else the limit stays
  Duration baseline_interval = std::chrono::seconds(60);  // between two measurements at rest
  uint32_t baseline_requests = 50;                        // of each
  uint32_t jitter_percent = 15;                           // of that interval
  bool operator==(const AdaptiveConcurrency&) const = default;
};

/// How requests are turned away as an upstream answers fewer of them well.
struct Admission {
  bool enabled = false;
  Mode mode = Mode::kEnforce;
  Duration window = std::chrono::seconds(30);
  uint32_t success_percent = 95;     // below that requests are refused
  uint32_t aggression = 1;           // more: sooner
  uint32_t reject_percent_max = 80;  // of the requests
  uint32_t requests_min = 10;        // in the window, of a worker, for that
  bool operator==(const Admission&) const = default;
};

/// From which value on one measure of load calls for which step.
template <class T>
struct OverloadSteps {
  T shed_low{};     // low-priority routes are refused, idle connections closed
  T shed_normal{};  // the others are, too
  T stop{};         // no connection is accepted, and high-priority routes are refused
  bool operator==(const OverloadSteps&) const = default;
};

/// The same of queues whose last step would keep them full.
struct QueueSteps {
  uint32_t shed_low = 50;
  uint32_t shed_normal = 90;
  bool operator==(const QueueSteps&) const = default;
};

/// What to do when the process itself has too much to do.
struct Overload {
  bool enabled = false;
  Mode mode = Mode::kEnforce;
  uint64_t memory_bytes_max = 0;  // 0: the cgroup's limit, or else the machine's memory
  OverloadSteps<uint32_t> memory_percent{.shed_low = 85, .shed_normal = 92, .stop = 97};
  OverloadSteps<uint32_t> descriptors_percent{.shed_low = 80, .shed_normal = 90, .stop = 95};
  QueueSteps accept_queue_percent;  // of a listener's backlog, each shard's own
  OverloadSteps<Duration> delay{.shed_low = std::chrono::milliseconds(5),
                                .shed_normal = std::chrono::milliseconds(25),
                                .stop = std::chrono::milliseconds(250)};
  Duration delay_window = std::chrono::milliseconds(100);  // the least in it counts
  Duration interval = std::chrono::milliseconds(250);      // between two looks at the others
  Duration recovery = std::chrono::seconds(1);             // below a step before it is undone
  Duration retry_after = std::chrono::seconds(2);          // what the refused are told, at most 1.5
  bool operator==(const Overload&) const = default;
};

}  // namespace hangu::config
