// What status and metrics say of limits (those of upstreams, and those of rate, concurrency and
// bandwidth) and of authorization services. Control thread.
#pragma once

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

/// What the limits and authorization services of the config, and `admission` of its upstreams, have
/// decided. The upstreams of
/// `status` are there already, in the order of the config.
void add_decisions(const config::Config& config, const stats::Registry& registry,
                   GatewayStatus& status);

}  // namespace hangu::server
