#include "server/limit_status.h"

namespace hangu::server {

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

std::vector<RateLimitStatus> rate_limit_statuses(const config::Config& config,
                                                 const stats::Registry& registry) {
  std::vector<RateLimitStatus> statuses;
  const auto all = registry.rate_limits();
  for (const config::RateLimit& limit : config.rate_limits) {
    RateLimitStatus& status = statuses.emplace_back();
    status.name = limit.name;
    for (const stats::RateLimitSlot& slot : all.at(limit.name)->slots()) {
      status.allowed += slot.allowed.value();
      status.rejected += slot.rejected.value();
      status.shadow_rejected += slot.shadow_rejected.value();
    }
  }
  return statuses;
}

}  // namespace hangu::server
