#include "server/audit_log_options.h"

#include <algorithm>

namespace hangu::server {
namespace {

constexpr uint64_t kLinesInMemoryMax = 16 * 1024 * 1024;

audit::Fsync to_fsync(config::AuditFsync fsync) {
  switch (fsync) {
    case config::AuditFsync::kNever: return audit::Fsync::kNever;
    case config::AuditFsync::kInterval: return audit::Fsync::kInterval;
    case config::AuditFsync::kBatch: return audit::Fsync::kBatch;
  }
  return audit::Fsync::kInterval;
}

audit::Backpressure to_backpressure(config::AuditBackpressure policy) {
  switch (policy) {
    case config::AuditBackpressure::kSpill: return audit::Backpressure::kSpill;
    case config::AuditBackpressure::kDropWithMarker: return audit::Backpressure::kDropWithMarker;
    case config::AuditBackpressure::kFailClosed: return audit::Backpressure::kFailClosed;
  }
  return audit::Backpressure::kSpill;
}

std::string or_beside(const std::string& path, const config::AuditLog& log, const char* ending) {
  return path.empty() ? log.path + ending : path;
}

std::optional<audit::SyslogOptions> syslog_options(const config::Config& config) {
  const config::AuditSyslog& syslog = config.audit.syslog;
  if (!syslog.enabled) {
    return std::nullopt;
  }
  const size_t colon = syslog.address.rfind(':');
  std::string host = syslog.address.substr(0, colon);
  if (host.starts_with('[')) {
    host = host.substr(1, host.size() - 2);
  }
  return audit::SyslogOptions{.server = {.host = host,
                                         .port = syslog.address.substr(colon + 1),
                                         .tls = syslog.tls,
                                         .ca = syslog.ca,
                                         .server_name = syslog.server_name,
                                         .certificate = syslog.certificate,
                                         .key = syslog.key},
                              .node = config.node,
                              .facility = syslog.facility,
                              .queue_bytes_max = syslog.queue_bytes};
}

}  // namespace

audit::AuditLogOptions audit_log_options(const config::Config& config, uint32_t shards) {
  const config::AuditLog& log = config.audit;
  return {.file = {.path = log.path,
                   .checkpoint_path = or_beside(log.checkpoint_path, log, ".checkpoints"),
                   .spill_path = or_beside(log.spill_path, log, ".spill"),
                   .spill_bytes_max = log.spill_bytes_max,
                   .queue_bytes_max = std::min(kLinesInMemoryMax, 4 * log.queue_bytes),
                   .fsync = to_fsync(log.fsync),
                   .fsync_interval = log.fsync_interval,
                   .on_archived = {}},
          .node = config.node,
          .shards = shards,
          .ring_bytes = log.queue_bytes,
          .chain = log.chain == config::AuditDigest::kSm3 ? audit::DigestKind::kSm3
                                                          : audit::DigestKind::kSha256,
          .signing_key = log.signing_key,
          .checkpoint_records = log.checkpoint_records,
          .checkpoint_interval = log.checkpoint_interval,
          .on_backpressure = to_backpressure(log.on_backpressure),
          .rotate_bytes = log.rotate_bytes,
          .rotate_interval = log.rotate_interval,
          .compress = log.compress,
          .retention = log.retention,
          .mask = log.mask,
          .mask_patterns = log.mask_patterns,
          .syslog = syslog_options(config)};
}

}  // namespace hangu::server
