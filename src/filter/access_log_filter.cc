#include "hangu/filter/access_log_filter.h"

#include <array>

#include "hangu/audit/json_line.h"
#include "hangu/audit/log_writer.h"
#include "hangu/filter/stream.h"
#include "hangu/stats/shard_stats.h"

namespace hangu::filter {
namespace {

constexpr size_t kLineBytesMax = 4096;
constexpr size_t kPathBytesMax = 1536;
constexpr size_t kFieldBytesMax = 256;

std::string_view to_string(http::Version version) {
  switch (version) {
    case http::Version::kHttp10: return "HTTP/1.0";
    case http::Version::kHttp11: return "HTTP/1.1";
    case http::Version::kHttp2: return "HTTP/2";
  }
  return "";
}

void add_if_known(audit::JsonLine& line, const audit::JsonKey& key, std::string_view value) {
  if (!value.empty()) {
    line.add(key, value, kFieldBytesMax);
  }
}

void add_request(audit::JsonLine& line, const Stream& stream) {
  const http::RequestHead& request = stream.request;
  const StreamInfo& info = stream.info;
  add_if_known(line, "client_ip", info.client_ip);
  line.add("client_ip_source", to_string(info.client_ip_source));
  add_if_known(line, "tls", info.tls_protocol);
  add_if_known(line, "tls_cipher", info.tls_cipher);
  add_if_known(line, "tls_server_name", info.tls_server_name);
  if (info.tls_early) {
    line.add_true("tls_early");
  }
  add_if_known(line, "tls_client", info.tls_client_subject);
  add_if_known(line, "tls_client_names", info.tls_client_names);
  add_if_known(line, "user", info.consumer);
  add_if_known(line, "auth_method", info.auth_method);
  add_if_known(line, "credential", info.credential);
  add_if_known(line, "method", request.method_text);
  add_if_known(line, "host", request.authority);
  line.add("path", request.path, kPathBytesMax);
  line.add("protocol", to_string(request.version));
  add_if_known(line, "user_agent", request.headers.value(http::HeaderName::kUserAgent));
  line.add("request_bytes", info.request_body_bytes);
}

void add_response(audit::JsonLine& line, const Stream& stream) {
  const StreamInfo& info = stream.info;
  line.add("status", uint64_t{info.status});
  line.add("response_bytes", info.response_body_bytes);
  line.add_milliseconds("duration_ms", (stream.now() - info.started).count());
  if (info.response_started != TimePoint{}) {
    line.add_milliseconds("ttfb_ms", (info.response_started - info.started).count());
  }
  add_if_known(line, "code", info.code);
  add_if_known(line, "filter", info.origin);
  add_if_known(line, "rule", info.rule);
  add_if_known(line, "shadow", info.shadow);
  add_if_known(line, "auth_reason", info.auth_reason);
  add_if_known(line, "allowed_by", info.allowed_by);
  add_if_known(line, "failure", to_string(info.failure));
  if (info.error != Errc::kNone) {
    line.add("error", hangu::to_string(info.error));
  }
  if (info.upgraded) {
    line.add("upgraded", uint64_t{1});
  }
  if (info.grpc_ended) {
    line.add("grpc_status", uint64_t{info.grpc_status});
  }
}

void add_tries(audit::JsonLine& line, const StreamInfo& info) {
  add_if_known(line, "retry", info.retried_for);
  if (info.retry_overflow) {
    line.add_true("retry_overflow");
  }
  if (info.hedge != HedgeOutcome::kNone) {
    line.add("hedge", info.hedge == HedgeOutcome::kWon ? "won" : "lost");
  }
  if (info.queued_ns != 0) {
    line.add_milliseconds("queue_ms", info.queued_ns);
  }
}

void add_way(audit::JsonLine& line, const Stream& stream) {
  const StreamInfo& info = stream.info;
  if (const RouteRuntime* route = stream.route()) {
    line.add("route", route->config->name, kFieldBytesMax);
    if (const uint32_t upstream = info.upstream; upstream != config::kNoUpstream) {
      line.add("upstream", stream.snapshot().config->upstreams[upstream].name, kFieldBytesMax);
    }
    if (info.split_part != StreamInfo::kNoPart) {
      add_if_known(line, "version", route->config->split.upstreams[info.split_part].version);
    }
  }
  if (info.upstream_attempts != 0) {
    line.add("upstream_address", info.upstream_address, kFieldBytesMax);
    line.add("attempts", uint64_t{info.upstream_attempts});
    line.add("upstream_reused", uint64_t{info.upstream_reused});
  }
  add_tries(line, info);
  line.add("listener", stream.listener().config->name, kFieldBytesMax);
}

}  // namespace

void AccessLogFilter::on_stream_end(Stream& stream) const noexcept {
  std::array<char, kLineBytesMax> buffer;
  audit::JsonLine line(buffer);
  line.add_time("time", stream.info.wall_time.time_since_epoch().count());
  add_if_known(line, "request_id", stream.info.request_id);
  add_if_known(line, "trace_id", stream.info.trace_id);
  add_request(line, stream);
  add_response(line, stream);
  add_way(line, stream);
  ShardContext& shard = stream.shard();
  if (!writer_.append(shard.shard(), line.finish())) {
    shard.stats().log_drops.add();
  }
}

}  // namespace hangu::filter
