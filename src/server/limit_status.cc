#include "server/limit_status.h"

#include <algorithm>

namespace hangu::server {
namespace {

std::string_view to_string(config::Mode mode) {
  switch (mode) {
    case config::Mode::kEnforce: return "enforce";
    case config::Mode::kShadow: return "shadow";
    case config::Mode::kOff: return "off";
  }
  return "off";
}

RateLimitStatus status_of(const config::RateLimit& limit, const stats::RateLimitStats& stats) {
  RateLimitStatus status{.name = limit.name, .mode = to_string(limit.mode)};
  for (const stats::RateLimitSlot& slot : stats.slots()) {
    status.allowed += slot.allowed.value();
    status.rejected += slot.rejected.value();
    status.shadow_rejected += slot.shadow_rejected.value();
    status.without_store += slot.without_store.value();
  }
  return status;
}

ConcurrencyLimitStatus status_of(const config::ConcurrencyLimit& limit,
                                 const stats::ConcurrencyLimitStats& stats) {
  ConcurrencyLimitStatus status{
      .name = limit.name, .mode = to_string(limit.mode), .max = limit.requests_max};
  for (const stats::ConcurrencyLimitSlot& slot : stats.slots()) {
    status.active += slot.active.value();
    status.allowed += slot.allowed.value();
    status.rejected += slot.rejected.value();
    status.shadow_rejected += slot.shadow_rejected.value();
  }
  return status;
}

BandwidthLimitStatus status_of(const config::BandwidthLimit& limit,
                               const stats::BandwidthLimitStats& stats) {
  BandwidthLimitStatus status{.name = limit.name, .mode = to_string(limit.mode)};
  for (const stats::BandwidthLimitSlot& slot : stats.slots()) {
    status.request_bytes += slot.request_bytes.value();
    status.response_bytes += slot.response_bytes.value();
    status.pauses += slot.request_pauses.value() + slot.response_pauses.value();
    status.shadow_pauses += slot.shadow_pauses.value();
  }
  return status;
}

ForwardAuthStatus status_of(const config::ForwardAuth& service,
                            const stats::ForwardAuthStats& stats) {
  ForwardAuthStatus status{.name = service.name, .mode = to_string(service.mode)};
  for (const stats::ForwardAuthSlot& slot : stats.slots()) {
    status.active += slot.active.value();
    status.allowed += slot.allowed.value();
    status.refused += slot.refused.value();
    status.shadow_refused += slot.shadow_refused.value();
    status.cached += slot.cached.value();
    for (const stats::Counter& errors : slot.errors) {
      status.errors += errors.value();
    }
  }
  return status;
}

AdmissionStatus status_of(const config::Admission& admission, const stats::UpstreamStats& stats) {
  AdmissionStatus status{.enabled = true, .shadow = admission.mode == config::Mode::kShadow};
  for (const stats::UpstreamSlot& slot : stats.slots()) {
    status.rejected += slot.admission_rejected.value();
    status.shadow_rejected += slot.admission_shadow_rejected.value();
  }
  return status;
}

template <class Limit, class Stats, class Status>
void add_all(const std::vector<Limit>& limits, const stats::Registry::ByName<Stats>& stats,
             std::vector<Status>& statuses) {
  for (const Limit& limit : limits) {
    if (const auto found = stats.find(limit.name); found != stats.end()) {
      statuses.push_back(status_of(limit, *found->second));
    }
  }
}

}  // namespace

void add_limits(const upstream::NodeLimits& used, const config::UpstreamLimits& limits,
                UpstreamStatus& status) {
  if (limits.mode == config::Mode::kOff) {
    return;
  }
  const LimitStatus all[] = {
      {.resource = "requests", .used = used.requests.taken(), .max = limits.requests_max},
      {.resource = "pending", .used = used.pending.taken(), .max = limits.pending_max},
      {.resource = "connections", .used = used.connections.taken(), .max = limits.connections_max}};
  for (const LimitStatus& limit : all) {
    if (limit.max != 0) {
      status.limits.push_back(limit);
    }
  }
  status.queued = used.requests.waiting();
}

void publish_limits(const config::UpstreamLimits& limits, stats::UpstreamStats& stats) {
  const bool off = limits.mode == config::Mode::kOff;
  stats.requests_max.set(off ? 0 : limits.requests_max);
  stats.pending_max.set(off ? 0 : limits.pending_max);
  stats.connections_max.set(off ? 0 : limits.connections_max);
}

void add_decisions(const config::Config& config, const stats::Registry& registry,
                   GatewayStatus& status) {
  const auto upstreams = registry.upstreams();
  for (size_t i = 0; i < std::min(config.upstreams.size(), status.upstreams.size()); ++i) {
    const config::Admission& admission = config.upstreams[i].admission;
    const auto found = upstreams.find(config.upstreams[i].name);
    if (admission.enabled && admission.mode != config::Mode::kOff && found != upstreams.end()) {
      status.upstreams[i].admission = status_of(admission, *found->second);
    }
  }
  add_all(config.forward_auths, registry.forward_auths(), status.forward_auths);
  add_all(config.rate_limits, registry.rate_limits(), status.rate_limits);
  add_all(config.concurrency_limits, registry.concurrency_limits(), status.concurrency_limits);
  add_all(config.bandwidth_limits, registry.bandwidth_limits(), status.bandwidth_limits);
}

}  // namespace hangu::server
