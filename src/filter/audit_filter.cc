#include "hangu/filter/audit_filter.h"

#include <algorithm>

#include "hangu/audit/audit_log.h"
#include "hangu/audit/classify.h"
#include "hangu/filter/stream.h"
#include "hangu/stats/shard_stats.h"

namespace hangu::filter {
namespace {

using audit::Number;
using audit::Text;

// What a record holds beside path and query is hardly ever more.
constexpr size_t kOtherTextBytes = 768;
constexpr uint32_t kRetryAfterS = 1;

void set_subject(audit::Record& record, const Stream& stream) {
  const StreamInfo& info = stream.info;
  record.set(Text::kRequestId, info.request_id);
  record.set(Text::kTraceId, info.trace_id);
  record.set(Text::kUser, info.consumer);
  record.set(Text::kAuthMethod, info.auth_method);
  record.set(Text::kCertificate, info.tls_client_subject);
  record.set(Text::kCertificateFingerprint, info.tls_client_fingerprint);
  record.set(Text::kClientIp, info.client_ip);
  record.set(Text::kClientIpSource, to_string(info.client_ip_source));
  record.set(Number::kClientPort, info.client_port);
}

void set_target(audit::Record& record, const Stream& stream) {
  const http::RequestHead& request = stream.request;
  const StreamInfo& info = stream.info;
  record.set(Text::kListener, stream.listener().config->name);
  record.set(Text::kMethod, request.method_text);
  record.set(Text::kHost, request.authority);
  record.set(Text::kPath, request.path);
  record.set(Text::kQuery, request.query);
  if (const RouteRuntime* route = stream.route()) {
    record.set(Text::kRoute, route->config->name);
    if (info.upstream != config::kNoUpstream) {
      record.set(Text::kUpstream, stream.snapshot().config->upstreams[info.upstream].name);
    }
  }
  record.set(Text::kUpstreamAddress, info.upstream_address);
}

void set_result(audit::Record& record, const Stream& stream) {
  const StreamInfo& info = stream.info;
  record.set(Text::kCode, info.code);
  if (!info.code.empty()) {
    record.set(Text::kFilter, info.origin);
  }
  record.set(Text::kRule, info.rule.empty() ? info.allowed_by : info.rule);
  record.set(Text::kReason, info.auth_reason);
  record.set(Text::kShadow, info.shadow);
  record.set(Text::kFailure, to_string(info.failure));
  record.set(Number::kStatus, info.status);
  record.set(Number::kRequestBytes, info.request_body_bytes);
  record.set(Number::kResponseBytes, info.response_body_bytes);
  const auto since_start = [&info](TimePoint time) {
    return static_cast<uint64_t>(std::max<int64_t>((time - info.started).count(), 0));
  };
  record.set(Number::kDuration, since_start(stream.now()));
  if (info.response_started != TimePoint{}) {
    record.set(Number::kFirstByte, since_start(info.response_started));
  }
}

}  // namespace

AuditFilter::AuditFilter(audit::AuditLog& log, config::AuditLevel level)
    : log_(log),
      level_(level),
      hooks_(log.fails_closed() ? kRequestHeaders | kStreamEnd : kStreamEnd) {}

config::AuditLevel AuditFilter::level_of(const Stream& stream) const noexcept {
  const RouteRuntime* route = stream.route();
  const bool own = route != nullptr && route->config->audit != config::AuditLevel::kDefault;
  return own ? route->config->audit : level_;
}

FilterStatus AuditFilter::on_request_headers(Stream& stream) const noexcept {
  if (level_of(stream) == config::AuditLevel::kOff) {
    return FilterStatus::kContinue;
  }
  const http::RequestHead& request = stream.request;
  const auto bytes = static_cast<uint32_t>(
      audit::packed_bytes(request.path.size() + request.query.size() + kOtherTextBytes));
  if (log_.reserve(stream.shard().shard(), bytes)) {
    stream.info.audit_reserved = bytes;
  } else {
    stream.send_local_reply({.status = 503,
                             .code = "audit.unavailable",
                             .detail = "the audit log takes no records now",
                             .retry_after_s = kRetryAfterS},
                            name());
  }
  return FilterStatus::kContinue;
}

void AuditFilter::on_stream_end(Stream& stream) const noexcept {
  ShardContext& shard = stream.shard();
  if (stream.info.audit_reserved != 0) {
    log_.release(shard.shard(), stream.info.audit_reserved);
    stream.info.audit_reserved = 0;
  }
  const config::AuditLevel level = level_of(stream);
  if (level == config::AuditLevel::kOff) {
    return;
  }
  const StreamInfo& info = stream.info;
  const audit::Verdict verdict =
      audit::classify(info.code, info.status, info.origin != kGatewayOrigin);
  if (level == config::AuditLevel::kSecurity && !verdict.security) {
    return;
  }
  audit::Record record;
  record.event = verdict.event;
  record.outcome = verdict.outcome;
  record.time = shard.wall_time();
  record.generation = stream.snapshot().config->generation;
  set_subject(record, stream);
  set_target(record, stream);
  set_result(record, stream);
  if (!log_.append(shard.shard(), record)) {
    shard.stats().audit_drops.add();
  }
}

}  // namespace hangu::filter
