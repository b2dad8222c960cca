#include "hangu/stats/prometheus.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <map>
#include <span>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "stats/action_families.h"
#include "stats/forward_auth_metrics.h"
#include "stats/plugin_metrics.h"
#include "stats/prometheus_text.h"
#include "stats/split_metrics.h"

namespace hangu::stats {
namespace {

constexpr std::array<std::string_view, 6> kClasses{"other", "1xx", "2xx", "3xx", "4xx", "5xx"};

// --- shards -----------------------------------------------------------------------------------

struct ShardMetric {
  std::string_view name;
  std::string_view type;
  std::string_view help;
  uint64_t (*value)(const ShardStats&);
};

constexpr ShardMetric kShardMetrics[] = {
    {"hangu_config_generation", "gauge", "Config generation the shard runs.",
     [](const ShardStats& s) { return s.generation.value(); }},
    {"hangu_connections_accepted_total", "counter", "Client connections accepted.",
     [](const ShardStats& s) { return s.connections_accepted.value(); }},
    {"hangu_connections_refused_total", "counter", "Client connections over a listener's limit.",
     [](const ShardStats& s) { return s.connections_refused.value(); }},
    {"hangu_connections", "gauge", "Open client connections.",
     [](const ShardStats& s) { return s.connections_active.value(); }},
    {"hangu_connections_shed_total", "counter",
     "Client connections closed because they took too little while memory was short.",
     [](const ShardStats& s) { return s.connections_shed.value(); }},
    {"hangu_requests_total", "counter", "Requests received, unreadable ones included.",
     [](const ShardStats& s) { return s.requests.value(); }},
    {"hangu_requests_active", "gauge", "Requests under way.",
     [](const ShardStats& s) { return s.requests_active.value(); }},
    {"hangu_requests_pipelined_total", "counter", "Requests sent before the answer to the last.",
     [](const ShardStats& s) { return s.pipelined.value(); }},
    {"hangu_upgrades_active", "gauge", "Open tunnels (WebSocket and others).",
     [](const ShardStats& s) { return s.upgrades_active.value(); }},
    {"hangu_upstream_timeouts_total", "counter", "Requests whose upstream did not answer in time.",
     [](const ShardStats& s) { return s.timeouts.value(); }},
    {"hangu_tls_handshakes_full_total", "counter", "TLS handshakes with clients, full ones.",
     [](const ShardStats& s) { return s.tls_handshakes_full.value(); }},
    {"hangu_tls_handshakes_resumed_total", "counter", "TLS handshakes that resumed a session.",
     [](const ShardStats& s) { return s.tls_handshakes_resumed.value(); }},
    {"hangu_http2_connections_total", "counter", "Client connections that speak HTTP/2.",
     [](const ShardStats& s) { return s.http2_connections.value(); }},
    {"hangu_http2_resets_received_total", "counter", "HTTP/2 streams that clients reset.",
     [](const ShardStats& s) { return s.http2_resets_received.value(); }},
    {"hangu_http2_resets_sent_total", "counter", "HTTP/2 streams reset for what a client did.",
     [](const ShardStats& s) { return s.http2_resets_sent.value(); }},
    {"hangu_access_log_dropped_total", "counter", "Access log records that found no room.",
     [](const ShardStats& s) { return s.log_drops.value(); }},
    {"hangu_audit_dropped_total", "counter", "Audit log records that found no room.",
     [](const ShardStats& s) { return s.audit_drops.value(); }},
};

void add_shards(PrometheusText& text, const Registry& registry) {
  for (const ShardMetric& metric : kShardMetrics) {
    text.family(metric.name, metric.type, metric.help);
    for (uint32_t id = 0; id < registry.shards(); ++id) {
      text.sample(fmt::format("shard=\"{}\"", id), metric.value(registry.shard(id)));
    }
  }
  text.family("hangu_local_replies_total", "counter", "Answers of the gateway itself, by code.");
  for (uint32_t id = 0; id < registry.shards(); ++id) {
    registry.shard(id).local_replies().for_each([&](std::string_view code, uint64_t count) {
      text.sample(fmt::format("shard=\"{}\",code=\"{}\"", id, escape_label(code)), count);
    });
  }
  text.family("hangu_grpc_calls_total", "counter", "gRPC calls that ended, by grpc-status.");
  for (uint32_t id = 0; id < registry.shards(); ++id) {
    for (size_t status = 0; status < ShardStats::kGrpcStatuses; ++status) {
      if (const uint64_t count = registry.shard(id).grpc(status); count != 0) {
        text.sample(fmt::format("shard=\"{}\",status=\"{}\"", id, status), count);
      }
    }
  }
  text.family("hangu_tls_failures_total", "counter", "TLS handshakes that failed, by reason.");
  for (uint32_t id = 0; id < registry.shards(); ++id) {
    registry.shard(id).tls_failures().for_each([&](std::string_view reason, uint64_t count) {
      text.sample(fmt::format("shard=\"{}\",reason=\"{}\"", id, escape_label(reason)), count);
    });
  }
  text.family("hangu_http2_closed_total", "counter",
              "HTTP/2 connections, or streams not taken, ended by the gateway, by reason.");
  for (uint32_t id = 0; id < registry.shards(); ++id) {
    registry.shard(id).http2_closes().for_each([&](std::string_view reason, uint64_t count) {
      text.sample(fmt::format("shard=\"{}\",reason=\"{}\"", id, escape_label(reason)), count);
    });
  }
  text.family("hangu_request_errors_total", "counter", "Requests refused while being read.");
  for (uint32_t id = 0; id < registry.shards(); ++id) {
    for (size_t error = 0; error < ShardStats::kErrors; ++error) {
      const auto code = static_cast<Errc>(error);
      if (const uint64_t count = registry.shard(id).parse_errors(code); count != 0) {
        text.sample(fmt::format("shard=\"{}\",error=\"{}\"", id, to_string(code)), count);
      }
    }
  }
}

// --- routes and upstreams: summed over the shards ---------------------------------------------

template <class Slot, class Get>
uint64_t sum(const PerShard<Slot>& stats, Get get) {
  uint64_t total = 0;
  for (const Slot& slot : stats.slots()) {
    total += get(slot);
  }
  return total;
}

template <class Slot>
std::vector<const Histogram*> histograms(const PerShard<Slot>& stats) {
  std::vector<const Histogram*> parts;
  for (const Slot& slot : stats.slots()) {
    parts.push_back(&slot.latency);
  }
  return parts;
}

template <class Stats>
void add_responses(PrometheusText& text, const Registry::ByName<Stats>& all,
                   std::string_view label) {
  for (const auto& [name, stats] : all) {
    for (size_t i = 0; i < kClasses.size(); ++i) {
      text.sample(fmt::format("{}=\"{}\",status=\"{}\"", label, escape_label(name), kClasses[i]),
                  sum(*stats, [&](const auto& slot) { return slot.responses[i].value(); }));
    }
  }
}

template <class Stats, class Get>
void add_sums(PrometheusText& text, const Registry::ByName<Stats>& all, std::string_view label,
              Get get) {
  for (const auto& [name, stats] : all) {
    text.sample(fmt::format("{}=\"{}\"", label, escape_label(name)), sum(*stats, get));
  }
}

template <class Stats>
void add_latency(PrometheusText& text, const Registry::ByName<Stats>& all, std::string_view label) {
  for (const auto& [name, stats] : all) {
    text.histogram(fmt::format("{}=\"{}\"", label, escape_label(name)), histograms(*stats));
  }
}

void add_routes(PrometheusText& text, const Registry& registry) {
  const auto routes = registry.routes();
  text.family("hangu_route_requests_total", "counter", "Requests of a route by status class.");
  add_responses(text, routes, "route");
  text.family("hangu_route_request_bytes_total", "counter", "Bytes of request bodies.");
  add_sums(text, routes, "route", [](const RouteSlot& s) { return s.request_bytes.value(); });
  text.family("hangu_route_response_bytes_total", "counter", "Bytes of response bodies.");
  add_sums(text, routes, "route", [](const RouteSlot& s) { return s.response_bytes.value(); });
  text.family("hangu_route_circuit_state", "gauge",
              "Circuit breaker: 0 closed, 1 open, 2 half-open.");
  for (const auto& [name, stats] : routes) {
    text.sample(fmt::format("route=\"{}\"", escape_label(name)), stats->circuit_state.value());
  }
  text.family("hangu_route_circuit_rejected_total", "counter",
              "Requests refused because the route's circuit breaker was open.");
  add_sums(text, routes, "route", [](const RouteSlot& s) { return s.circuit_rejected.value(); });
  text.family("hangu_route_circuit_shadow_rejected_total", "counter",
              "Requests that the route's breaker, in shadow mode, would have refused.");
  add_sums(text, routes, "route",
           [](const RouteSlot& s) { return s.circuit_shadow_rejected.value(); });
  text.family("hangu_route_circuit_opened_total", "counter",
              "Times that the route's circuit breaker opened.");
  add_sums(text, routes, "route", [](const RouteSlot& s) { return s.circuit_opened.value(); });
  text.family("hangu_route_duration_seconds", "histogram",
              "First byte of the request to last byte of the response queued.");
  add_latency(text, routes, "route");
}

/// Only what a route does: most do none of it.
void add_actions(PrometheusText& text, const Registry& registry) {
  const auto routes = registry.routes();
  for (const ActionFamily& family : kActionFamilies) {
    text.family(family.name, "counter", family.help);
    for (const auto& [name, stats] : routes) {
      for (const ActionMetric& metric : family.metrics) {
        const uint64_t value =
            sum(*stats, [&](const RouteSlot& slot) { return metric.value(slot.actions); });
        if (value != 0) {
          text.sample(fmt::format("route=\"{}\"{}", escape_label(name), metric.labels), value);
        }
      }
    }
  }
}

struct UpstreamMetric {
  std::string_view name;
  std::string_view type;
  std::string_view help;
  uint64_t (*value)(const UpstreamSlot&);
};

constexpr UpstreamMetric kUpstreamMetrics[] = {
    {"hangu_upstream_requests_total", "counter", "Requests to the upstream, retries not counted.",
     [](const UpstreamSlot& s) { return s.requests.value(); }},
    {"hangu_upstream_requests_active", "gauge", "Requests under way.",
     [](const UpstreamSlot& s) { return s.active.value(); }},
    {"hangu_upstream_connections", "gauge", "Open connections, idle ones included.",
     [](const UpstreamSlot& s) { return s.connections.value(); }},
    {"hangu_upstream_connects_total", "counter", "Connections begun.",
     [](const UpstreamSlot& s) { return s.connects.value(); }},
    {"hangu_upstream_connect_failures_total", "counter", "Connections that failed.",
     [](const UpstreamSlot& s) { return s.connect_failures.value(); }},
    {"hangu_upstream_http2_connections_total", "counter", "Connections made that speak HTTP/2.",
     [](const UpstreamSlot& s) { return s.http2_connections.value(); }},
    {"hangu_upstream_tls_handshakes_full_total", "counter", "TLS handshakes done, full ones.",
     [](const UpstreamSlot& s) { return s.tls_handshakes_full.value(); }},
    {"hangu_upstream_tls_handshakes_resumed_total", "counter",
     "TLS handshakes done that resumed a session.",
     [](const UpstreamSlot& s) { return s.tls_handshakes_resumed.value(); }},
    {"hangu_upstream_reuses_total", "counter", "Requests on a connection that had served before.",
     [](const UpstreamSlot& s) { return s.reuses.value(); }},
    {"hangu_upstream_replays_total", "counter", "Requests sent again: the connection was closed.",
     [](const UpstreamSlot& s) { return s.replays.value(); }},
    {"hangu_upstream_retries_total", "counter", "Requests sent again, for other reasons.",
     [](const UpstreamSlot& s) { return s.retries.value(); }},
    {"hangu_upstream_retry_overflows_total", "counter",
     "Requests not sent again because too many others were.",
     [](const UpstreamSlot& s) { return s.retry_overflows.value(); }},
    {"hangu_upstream_queue", "gauge", "Requests that wait for a slot of the limit on requests.",
     [](const UpstreamSlot& s) { return s.queued.value(); }},
    {"hangu_upstream_queue_entered_total", "counter", "Requests that had to wait for one.",
     [](const UpstreamSlot& s) { return s.queue_entered.value(); }},
    {"hangu_upstream_queue_timeouts_total", "counter", "Requests that waited too long for one.",
     [](const UpstreamSlot& s) { return s.queue_timeouts.value(); }},
    {"hangu_upstream_shadow_overflows_total", "counter",
     "Times that a limit would have been exceeded, were it in force.",
     [](const UpstreamSlot& s) { return s.shadow_overflows.value(); }},
    {"hangu_upstream_hedges_total", "counter", "Second tries while the first was under way.",
     [](const UpstreamSlot& s) { return s.hedges.value(); }},
    {"hangu_upstream_hedges_won_total", "counter", "Second tries whose answer was the first.",
     [](const UpstreamSlot& s) { return s.hedges_won.value(); }},
    {"hangu_upstream_hedge_overflows_total", "counter", "Second tries that were over the budget.",
     [](const UpstreamSlot& s) { return s.hedge_overflows.value(); }},
    {"hangu_upstream_shadow_hedges_total", "counter",
     "Second tries that would have been begun, were that in force.",
     [](const UpstreamSlot& s) { return s.shadow_hedges.value(); }},
    {"hangu_upstream_ejections_total", "counter", "Endpoints ejected because they failed.",
     [](const UpstreamSlot& s) { return s.ejections.value(); }},
    {"hangu_upstream_shadow_ejections_total", "counter",
     "Endpoints that would have been ejected, were that in force.",
     [](const UpstreamSlot& s) { return s.shadow_ejections.value(); }},
    {"hangu_upstream_circuit_rejected_total", "counter",
     "Requests refused because the circuit breaker was open.",
     [](const UpstreamSlot& s) { return s.circuit_rejected.value(); }},
    {"hangu_upstream_circuit_shadow_rejected_total", "counter",
     "Requests that a circuit breaker in shadow mode would have refused.",
     [](const UpstreamSlot& s) { return s.circuit_shadow_rejected.value(); }},
    {"hangu_upstream_circuit_opened_total", "counter", "Times that the circuit breaker opened.",
     [](const UpstreamSlot& s) { return s.circuit_opened.value(); }},
    {"hangu_upstream_admission_rejected_total", "counter",
     "Requests refused because too many others failed.",
     [](const UpstreamSlot& s) { return s.admission_rejected.value(); }},
    {"hangu_upstream_admission_shadow_rejected_total", "counter",
     "Requests that admission in shadow mode would have refused.",
     [](const UpstreamSlot& s) { return s.admission_shadow_rejected.value(); }},
    {"hangu_upstream_adaptive_rejected_total", "counter",
     "Requests refused because of the adaptive concurrency limit.",
     [](const UpstreamSlot& s) { return s.adaptive_rejected.value(); }},
    {"hangu_upstream_adaptive_shadow_rejected_total", "counter",
     "Requests that an adaptive concurrency limit in shadow mode would have refused.",
     [](const UpstreamSlot& s) { return s.adaptive_shadow_rejected.value(); }},
    {"hangu_upstream_failures_total", "counter", "Requests without a complete answer.",
     [](const UpstreamSlot& s) { return s.failures.value(); }},
    {"hangu_upstream_mirrored_answered_total", "counter", "Copies of requests that were answered.",
     [](const UpstreamSlot& s) { return s.mirrored_answered.value(); }},
    {"hangu_upstream_mirrored_failed_total", "counter", "Copies of requests that were not.",
     [](const UpstreamSlot& s) { return s.mirrored_failed.value(); }},
    {"hangu_upstream_received_bytes_total", "counter", "Bytes received.",
     [](const UpstreamSlot& s) { return s.bytes_received.value(); }},
};

void add_tls_failures(PrometheusText& text, const Registry::ByName<UpstreamStats>& upstreams) {
  for (const auto& [name, stats] : upstreams) {
    std::map<std::string_view, uint64_t> reasons;
    for (const UpstreamSlot& slot : stats->slots()) {
      slot.tls_failures.for_each(
          [&](std::string_view reason, uint64_t count) { reasons[reason] += count; });
    }
    for (const auto& [reason, count] : reasons) {
      text.sample(
          fmt::format("upstream=\"{}\",reason=\"{}\"", escape_label(name), escape_label(reason)),
          count);
    }
  }
}

/// What the control thread knows of the endpoints.
struct PoolMetric {
  std::string_view label;
  uint64_t (*value)(const UpstreamStats&);
};

constexpr PoolMetric kEndpointStates[] = {
    {"state=\"usable\"", [](const UpstreamStats& s) { return s.usable.value(); }},
    {"state=\"ejected\"", [](const UpstreamStats& s) { return s.ejected.value(); }},
    {"state=\"unhealthy\"", [](const UpstreamStats& s) { return s.unhealthy.value(); }},
    {"state=\"draining\"", [](const UpstreamStats& s) { return s.draining.value(); }},
    {"state=\"maintenance\"", [](const UpstreamStats& s) { return s.maintenance.value(); }},
};

constexpr PoolMetric kCheckResults[] = {
    {"result=\"good\"", [](const UpstreamStats& s) { return s.checks_good.value(); }},
    {"result=\"bad\"", [](const UpstreamStats& s) { return s.checks_bad.value(); }},
};

constexpr PoolMetric kOutliers[] = {
    {"mode=\"enforce\"", [](const UpstreamStats& s) { return s.outliers.value(); }},
    {"mode=\"shadow\"", [](const UpstreamStats& s) { return s.shadow_outliers.value(); }},
};

void add_pool_metrics(PrometheusText& text, const Registry::ByName<UpstreamStats>& upstreams,
                      std::span<const PoolMetric> metrics) {
  for (const auto& [name, stats] : upstreams) {
    for (const PoolMetric& metric : metrics) {
      text.sample(fmt::format("upstream=\"{}\",{}", escape_label(name), metric.label),
                  metric.value(*stats));
    }
  }
}

struct LimitMetric {
  std::string_view resource;
  uint64_t (*used)(const UpstreamSlot&);
  uint64_t (*overflows)(const UpstreamSlot&);
  const Gauge& (*max)(const UpstreamStats&);
};

constexpr LimitMetric kLimitMetrics[] = {
    {"requests", [](const UpstreamSlot& s) { return s.slots.value(); },
     [](const UpstreamSlot& s) { return s.overflow_requests.value(); },
     [](const UpstreamStats& s) -> const Gauge& { return s.requests_max; }},
    {"pending", [](const UpstreamSlot& s) { return s.pending.value(); },
     [](const UpstreamSlot& s) { return s.overflow_pending.value(); },
     [](const UpstreamStats& s) -> const Gauge& { return s.pending_max; }},
    {"connections", [](const UpstreamSlot& s) { return s.connections.value(); },
     [](const UpstreamSlot& s) { return s.overflow_connections.value(); },
     [](const UpstreamStats& s) -> const Gauge& { return s.connections_max; }},
};

/// Of limits that are in force.
void add_limits(PrometheusText& text, const Registry::ByName<UpstreamStats>& upstreams) {
  text.family("hangu_upstream_limit_remaining", "gauge", "What a limit of the node leaves.");
  for (const auto& [name, stats] : upstreams) {
    for (const LimitMetric& metric : kLimitMetrics) {
      if (const uint64_t max = metric.max(*stats).value(); max != 0) {
        const uint64_t used = sum(*stats, metric.used);
        text.sample(
            fmt::format("upstream=\"{}\",resource=\"{}\"", escape_label(name), metric.resource),
            max - std::min(used, max));
      }
    }
  }
  text.family("hangu_upstream_overflows_total", "counter",
              "Requests refused because of a limit; of connections: times that one had to wait.");
  for (const auto& [name, stats] : upstreams) {
    for (const LimitMetric& metric : kLimitMetrics) {
      text.sample(
          fmt::format("upstream=\"{}\",resource=\"{}\"", escape_label(name), metric.resource),
          sum(*stats, metric.overflows));
    }
  }
}

void add_pools(PrometheusText& text, const Registry::ByName<UpstreamStats>& upstreams) {
  text.family("hangu_upstream_endpoints", "gauge", "Endpoints by state.");
  add_pool_metrics(text, upstreams, kEndpointStates);
  text.family("hangu_upstream_panic", "gauge",
              "1: all endpoints are used because too few of them are well.");
  for (const auto& [name, stats] : upstreams) {
    text.sample(fmt::format("upstream=\"{}\"", escape_label(name)), stats->panic.value());
  }
  text.family("hangu_upstream_health_checks_total", "counter", "Answers to health checks.");
  add_pool_metrics(text, upstreams, kCheckResults);
  text.family("hangu_upstream_outliers_total", "counter",
              "Endpoints ejected because of the statistics of an interval.");
  add_pool_metrics(text, upstreams, kOutliers);
}

void add_upstreams(PrometheusText& text, const Registry& registry) {
  const auto upstreams = registry.upstreams();
  for (const UpstreamMetric& metric : kUpstreamMetrics) {
    text.family(metric.name, metric.type, metric.help);
    add_sums(text, upstreams, "upstream", metric.value);
  }
  add_pools(text, upstreams);
  text.family("hangu_upstream_circuit_state", "gauge",
              "Circuit breaker: 0 closed, 1 open, 2 half-open.");
  for (const auto& [name, stats] : upstreams) {
    text.sample(fmt::format("upstream=\"{}\"", escape_label(name)), stats->circuit_state.value());
  }
  add_limits(text, upstreams);
  text.family("hangu_upstream_adaptive_limit", "gauge",
              "Requests that the upstream gets at once; 0: no limit.");
  for (const auto& [name, stats] : upstreams) {
    text.sample(fmt::format("upstream=\"{}\"", escape_label(name)), stats->adaptive_limit.value());
  }
  text.family("hangu_upstream_responses_total", "counter", "Responses by status class.");
  add_responses(text, upstreams, "upstream");
  text.family("hangu_upstream_tls_failures_total", "counter",
              "TLS handshakes that failed, by reason.");
  add_tls_failures(text, upstreams);
  text.family("hangu_upstream_duration_seconds", "histogram", "Request sent to response head.");
  add_latency(text, upstreams, "upstream");
}

struct RateLimitMetric {
  std::string_view decision;
  uint64_t (*value)(const RateLimitSlot&);
};

constexpr RateLimitMetric kRateLimitMetrics[] = {
    {"allowed", [](const RateLimitSlot& s) { return s.allowed.value(); }},
    {"rejected", [](const RateLimitSlot& s) { return s.rejected.value(); }},
    {"shadow_rejected", [](const RateLimitSlot& s) { return s.shadow_rejected.value(); }},
};

void add_rate_limits(PrometheusText& text, const Registry& registry) {
  const auto limits = registry.rate_limits();
  text.family("hangu_rate_limit_requests_total", "counter", "Requests by what a limit decided.");
  for (const auto& [name, stats] : limits) {
    for (const RateLimitMetric& metric : kRateLimitMetrics) {
      text.sample(
          fmt::format("rate_limit=\"{}\",decision=\"{}\"", escape_label(name), metric.decision),
          sum(*stats, metric.value));
    }
  }
  text.family("hangu_rate_limit_shared_keys_total", "counter",
              "Requests whose key found no place of its own: raise keys_max.");
  add_sums(text, limits, "rate_limit",
           [](const RateLimitSlot& s) { return s.shared_keys.value(); });
  text.family("hangu_rate_limit_without_store_total", "counter",
              "Requests that a node decided by itself because the store did not answer.");
  add_sums(text, limits, "rate_limit",
           [](const RateLimitSlot& s) { return s.without_store.value(); });
}

struct StoreMetric {
  std::string_view name;
  std::string_view type;
  std::string_view help;
  uint64_t (*value)(const StoreStats&);
};

constexpr StoreMetric kStoreMetrics[] = {
    {"hangu_store_up", "gauge", "Whether the store answers.",
     [](const StoreStats& s) { return s.up.value(); }},
    {"hangu_store_connects_total", "counter", "Connections made to the store.",
     [](const StoreStats& s) { return s.connects.value(); }},
    {"hangu_store_asked_total", "counter", "Requests that waited for the store.",
     [](const StoreStats& s) { return s.asked.value(); }},
    {"hangu_store_late_total", "counter", "Requests that it did not answer in time.",
     [](const StoreStats& s) { return s.late.value(); }},
    {"hangu_store_charged_total", "counter", "Keys whose counts the store was told.",
     [](const StoreStats& s) { return s.charged.value(); }},
    {"hangu_store_lost_total", "counter", "Keys whose counts the store could not be told.",
     [](const StoreStats& s) { return s.lost.value(); }},
    {"hangu_store_errors_total", "counter", "Errors that the store replied.",
     [](const StoreStats& s) { return s.errors.value(); }},
};

void add_stores(PrometheusText& text, const Registry& registry) {
  const auto stores = registry.stores();
  for (const StoreMetric& metric : kStoreMetrics) {
    text.family(metric.name, metric.type, metric.help);
    for (const auto& [name, stats] : stores) {
      text.sample(fmt::format("store=\"{}\"", escape_label(name)), metric.value(*stats));
    }
  }
}

struct ConcurrencyLimitMetric {
  std::string_view decision;
  uint64_t (*value)(const ConcurrencyLimitSlot&);
};

constexpr ConcurrencyLimitMetric kConcurrencyLimitMetrics[] = {
    {"allowed", [](const ConcurrencyLimitSlot& s) { return s.allowed.value(); }},
    {"rejected", [](const ConcurrencyLimitSlot& s) { return s.rejected.value(); }},
    {"shadow_rejected", [](const ConcurrencyLimitSlot& s) { return s.shadow_rejected.value(); }},
};

void add_concurrency_limits(PrometheusText& text, const Registry& registry) {
  const auto limits = registry.concurrency_limits();
  text.family("hangu_concurrency_limit_requests_total", "counter",
              "Requests by what a limit decided.");
  for (const auto& [name, stats] : limits) {
    for (const ConcurrencyLimitMetric& metric : kConcurrencyLimitMetrics) {
      text.sample(fmt::format("concurrency_limit=\"{}\",decision=\"{}\"", escape_label(name),
                              metric.decision),
                  sum(*stats, metric.value));
    }
  }
  text.family("hangu_concurrency_limit_active", "gauge", "Requests that hold a place.");
  add_sums(text, limits, "concurrency_limit",
           [](const ConcurrencyLimitSlot& s) { return s.active.value(); });
  text.family("hangu_concurrency_limit_shared_keys_total", "counter",
              "Requests whose key found no place of its own: raise keys_max.");
  add_sums(text, limits, "concurrency_limit",
           [](const ConcurrencyLimitSlot& s) { return s.shared_keys.value(); });
}

struct BandwidthLimitMetric {
  std::string_view name;
  std::string_view help;
  std::string_view direction;
  uint64_t (*value)(const BandwidthLimitSlot&);
};

constexpr BandwidthLimitMetric kBandwidthLimitMetrics[] = {
    {"hangu_bandwidth_limit_bytes_total", "Bytes that passed.", "request",
     [](const BandwidthLimitSlot& s) { return s.request_bytes.value(); }},
    {"hangu_bandwidth_limit_bytes_total", "", "response",
     [](const BandwidthLimitSlot& s) { return s.response_bytes.value(); }},
    {"hangu_bandwidth_limit_pauses_total", "Times that a body had to wait.", "request",
     [](const BandwidthLimitSlot& s) { return s.request_pauses.value(); }},
    {"hangu_bandwidth_limit_pauses_total", "", "response",
     [](const BandwidthLimitSlot& s) { return s.response_pauses.value(); }},
};

void add_bandwidth_limits(PrometheusText& text, const Registry& registry) {
  const auto limits = registry.bandwidth_limits();
  for (const BandwidthLimitMetric& metric : kBandwidthLimitMetrics) {
    if (!metric.help.empty()) {
      text.family(metric.name, "counter", metric.help);
    }
    for (const auto& [name, stats] : limits) {
      text.sample(fmt::format("bandwidth_limit=\"{}\",direction=\"{}\"", escape_label(name),
                              metric.direction),
                  sum(*stats, metric.value));
    }
  }
  text.family("hangu_bandwidth_limit_shadow_pauses_total", "counter",
              "Times that a body would have had to wait, were the limit in force.");
  add_sums(text, limits, "bandwidth_limit",
           [](const BandwidthLimitSlot& s) { return s.shadow_pauses.value(); });
  text.family("hangu_bandwidth_limit_shared_keys_total", "counter",
              "Pieces of bodies whose key found no place of its own: raise keys_max.");
  add_sums(text, limits, "bandwidth_limit",
           [](const BandwidthLimitSlot& s) { return s.shared_keys.value(); });
}

constexpr std::string_view kPriorities[] = {"low", "normal", "high"};

/// Of all shards.
uint64_t shed_requests(const Registry& registry, size_t priority) {
  uint64_t sum = 0;
  for (uint32_t shard = 0; shard < registry.shards(); ++shard) {
    sum += registry.shard(shard).overload_shed[priority].value();
  }
  return sum;
}

void add_overload_of_shards(PrometheusText& text, const Registry& registry) {
  text.family("hangu_overload_shed_total", "counter", "Requests refused by priority.");
  for (size_t i = 0; i < std::size(kPriorities); ++i) {
    text.sample(fmt::format("priority=\"{}\"", kPriorities[i]), shed_requests(registry, i));
  }
  text.family("hangu_overload_shadow_shed_total", "counter",
              "Requests that would have been refused, were that in force.");
  uint64_t shadow = 0;
  for (uint32_t shard = 0; shard < registry.shards(); ++shard) {
    shadow += registry.shard(shard).overload_shadow_shed.value();
  }
  text.sample("", shadow);
  text.family("hangu_overload_delay_microseconds", "gauge",
              "How long what arrives at a shard waits for its turn.");
  for (uint32_t shard = 0; shard < registry.shards(); ++shard) {
    text.sample(fmt::format("shard=\"{}\"", shard), registry.shard(shard).delay_us.value());
  }
  text.family("hangu_overload_accept_queue", "gauge",
              "Connections that the kernel holds for a shard, which has not accepted them yet.");
  for (uint32_t shard = 0; shard < registry.shards(); ++shard) {
    text.sample(fmt::format("shard=\"{}\"", shard), registry.shard(shard).accept_queue.value());
  }
}

void add_overload(PrometheusText& text, const Registry& registry) {
  const OverloadStats& load = registry.overload();
  if (load.enabled.value() == 0) {
    return;
  }
  add_overload_of_shards(text, registry);
  text.family("hangu_overload_step", "gauge",
              "0 none, 1 shed low priority, 2 shed normal priority, 3 stop accepting.");
  text.sample("trigger=\"memory\"", load.memory_step.value());
  text.sample("trigger=\"descriptors\"", load.descriptors_step.value());
  for (uint32_t shard = 0; shard < registry.shards(); ++shard) {
    text.sample(fmt::format("trigger=\"delay\",shard=\"{}\"", shard),
                registry.shard(shard).delay_step.value());
    text.sample(fmt::format("trigger=\"accept_queue\",shard=\"{}\"", shard),
                registry.shard(shard).accept_queue_step.value());
  }
  text.family("hangu_overload_memory_bytes", "gauge", "Resident memory.");
  text.sample("", load.memory_bytes.value());
  text.family("hangu_overload_memory_max_bytes", "gauge", "What it is measured against.");
  text.sample("", load.memory_bytes_max.value());
  text.family("hangu_overload_descriptors", "gauge", "Open descriptors.");
  text.sample("", load.descriptors.value());
  text.family("hangu_overload_descriptors_max", "gauge", "What they are measured against.");
  text.sample("", load.descriptors_max.value());
}

void add_authenticators(PrometheusText& text, const Registry& registry) {
  const auto authenticators = registry.authenticators();
  text.family("hangu_auth_requests_total", "counter",
              "Requests by what an authenticator found: a credential that is right, none, or why "
              "it was refused.");
  for (const auto& [name, stats] : authenticators) {
    const auto add = [&, &name = name](std::string_view outcome, uint64_t value) {
      text.sample(fmt::format("authenticator=\"{}\",outcome=\"{}\"", escape_label(name), outcome),
                  value);
    };
    add("proved", sum(*stats, [](const AuthSlot& s) { return s.proved.value(); }));
    add("absent", sum(*stats, [](const AuthSlot& s) { return s.absent.value(); }));
    for (size_t i = 0; i < kAuthReasons.size(); ++i) {
      uint64_t refused = 0;
      for (const AuthSlot& slot : stats->slots()) {
        refused += slot.refused[i].value();
      }
      if (refused != 0) {
        add(kAuthReasons[i], refused);
      }
    }
  }
  text.family("hangu_auth_cache_hits_total", "counter",
              "Requests with a credential that had been verified before.");
  add_sums(text, authenticators, "authenticator",
           [](const AuthSlot& s) { return s.cached.value(); });
  text.family("hangu_auth_key_fetches_total", "counter",
              "Times that the keys of a token issuer were fetched.");
  for (const auto& [name, stats] : authenticators) {
    const auto add = [&, &name = name](std::string_view result, uint64_t value) {
      text.sample(fmt::format("authenticator=\"{}\",result=\"{}\"", escape_label(name), result),
                  value);
    };
    add("good", stats->key_fetches.value() - stats->key_fetch_failures.value());
    add("failed", stats->key_fetch_failures.value());
  }
}

}  // namespace

std::string prometheus_text(const Registry& registry) {
  PrometheusText text;
  add_shards(text, registry);
  add_routes(text, registry);
  add_actions(text, registry);
  add_upstreams(text, registry);
  add_rate_limits(text, registry);
  add_stores(text, registry);
  add_concurrency_limits(text, registry);
  add_bandwidth_limits(text, registry);
  add_overload(text, registry);
  add_authenticators(text, registry);
  add_forward_auths(text, registry);
  add_plugins(text, registry);
  add_splits(text, registry);
  return text.take();
}

}  // namespace hangu::stats
