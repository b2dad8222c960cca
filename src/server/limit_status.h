// What status and metrics say of the limits of upstreams, and of rate limits.
#pragma once

#include <vector>

#include "hangu/config/config.h"
#include "hangu/server/gateway.h"
#include "hangu/stats/registry.h"
#include "hangu/stats/upstream_stats.h"
#include "hangu/upstream/node_limits.h"

namespace hangu::server {

/// What is used of the limits that are in force, and who waits.
void add_limits(const upstream::NodeLimits& used, const config::UpstreamLimits& limits,
                UpstreamStatus& status);

/// For the metrics of what remains.
void publish_limits(const config::UpstreamLimits& limits, stats::UpstreamStats& stats);

/// As config.rate_limits.
std::vector<RateLimitStatus> rate_limit_statuses(const config::Config& config,
                                                 const stats::Registry& registry);

}  // namespace hangu::server
