#include "server/part_status.h"

#include <chrono>

#include "hangu/policy/overload.h"

namespace hangu::server {

AuditStatus status_of(const audit::AuditLog& log) {
  AuditStatus status{.path = log.options().file.path,
                     .records = log.written(),
                     .dropped = log.dropped(),
                     .write_errors = log.write_errors(),
                     .spilled_bytes = log.spilled_bytes(),
                     .failing = log.failing(),
                     .syslog = {}};
  if (const audit::SyslogSink* syslog = log.syslog()) {
    const tls::BlockingOptions& server = log.options().syslog->server;
    status.syslog = server.host + ":" + server.port;
    status.syslog_connected = syslog->connected();
    status.syslog_sent = syslog->sent();
    status.syslog_dropped = syslog->dropped();
  }
  return status;
}

CircuitStatus status_of(const policy::CircuitBreaker& breaker) {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  const policy::CircuitBreaker::Status status = breaker.status(now.count());
  return {.state = policy::to_string(status.state),
          .cause = policy::to_string(status.cause),
          .probes_succeeded = status.successes,
          .next_probe = Duration(status.next_probe_ns)};
}

ShardStatus status_of(const ShardOptions& shard) {
  const stats::ShardStats& stats = *shard.stats;
  return {.id = shard.id,
          .cpu = shard.cpu,
          .generation = stats.generation.value(),
          .connections = stats.connections_active.value(),
          .requests_active = stats.requests_active.value(),
          .requests_total = stats.requests.value(),
          .delay = std::chrono::microseconds(stats.delay_us.value()),
          .accept_queue = stats.accept_queue.value(),
          .accept_queue_max = stats.accept_queue_max.value(),
          .overload_step =
              policy::to_string(static_cast<policy::OverloadStep>(stats.overload_step.value()))};
}

}  // namespace hangu::server
