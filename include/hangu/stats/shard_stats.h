// ShardStats: what one shard counts of itself. Written by that shard alone, read by any thread. On
// cache lines of its own.
#pragma once

#include <array>
#include <string_view>

#include "hangu/base/error.h"
#include "hangu/stats/counter.h"
#include "hangu/stats/histogram.h"
#include "hangu/stats/labelled_counters.h"

namespace hangu::stats {

inline constexpr size_t kCacheLine = 64;

class alignas(kCacheLine) ShardStats {
 public:
  static constexpr size_t kGrpcStatuses = 17;
  static constexpr int kServerError = 500;
  static constexpr size_t kErrors = static_cast<size_t>(Errc::kInvalidArgument) + 1;

  Gauge generation;  // of the config it runs
  Counter connections_accepted;
  Counter connections_refused;  // over a listener's limit
  Gauge connections_active;
  Counter requests;
  Gauge requests_active;
  Counter errors;     // requests that ended with a 5xx status
  Histogram latency;  // of all requests, as RouteSlot has it of a route's
  Counter pipelined;  // requests that were there before the answer to the one before
  Gauge upgrades_active;
  Counter timeouts;  // of exchanges with an upstream
  Counter tls_handshakes_full;
  Counter tls_handshakes_resumed;
  Counter connections_shed;  // to get memory back
  Counter http2_connections;
  Counter http2_resets_received;
  Counter http2_resets_sent;             // for what the client did
  Counter log_drops;                     // access log records that found no room
  Counter audit_drops;                   // audit log records that found no room
  Gauge buffer_bytes;                    // receive blocks in use
  Gauge overload_step;                   // a policy::OverloadStep, which filters go by
  Gauge delay_step;                      // what the delay alone calls for
  Gauge delay_us;                        // how long what arrives waits for its turn
  Gauge accept_queue;                    // connections that wait in the fullest, not accepted yet
  Gauge accept_queue_max;                // how many may; these three are the control thread's
  Gauge accept_queue_step;               // what they call for
  std::array<Counter, 3> overload_shed;  // requests refused, by config::Priority
  Counter overload_shadow_shed;          // that would have been

  /// A request has ended.
  void count_end(int status, Duration took) noexcept {
    if (status >= kServerError) {
      errors.add();
    }
    latency.record(took);
  }

  /// `code` of the reply, static text.
  void count_local_reply(std::string_view code) noexcept { local_replies_.add(code); }

  /// A request that could not be understood or was over a limit.
  void count_parse_error(Errc code) noexcept { parse_errors_[static_cast<size_t>(code)].add(); }

  /// A gRPC call that ended with this status.
  void count_grpc(uint8_t status) noexcept {
    if (status < kGrpcStatuses) {
      grpc_[status].add();
    }
  }

  uint64_t grpc(size_t status) const { return grpc_[status].value(); }

  /// A handshake with a client that failed for `reason`, static text.
  void count_tls_failure(std::string_view reason) noexcept { tls_failures_.add(reason); }

  const LabelledCounters& tls_failures() const { return tls_failures_; }

  /// An HTTP/2 connection, or a stream of one, that was ended for `reason`, static text.
  void count_http2_close(std::string_view reason) noexcept { http2_closes_.add(reason); }

  const LabelledCounters& http2_closes() const { return http2_closes_; }

  const LabelledCounters& local_replies() const { return local_replies_; }

  uint64_t parse_errors(Errc code) const {
    return parse_errors_[static_cast<size_t>(code)].value();
  }

 private:
  LabelledCounters local_replies_;
  LabelledCounters http2_closes_;
  LabelledCounters tls_failures_;
  std::array<Counter, kErrors> parse_errors_;
  std::array<Counter, kGrpcStatuses> grpc_;
};

}  // namespace hangu::stats
