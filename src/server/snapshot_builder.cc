#include "server/snapshot_builder.h"

#include <utility>

#include "hangu/filter/access_log_filter.h"
#include "hangu/filter/client_filter.h"
#include "hangu/filter/grpc_web_filter.h"
#include "hangu/filter/header_edit_filter.h"
#include "hangu/filter/redirect_filter.h"
#include "hangu/filter/respond_filter.h"
#include "hangu/filter/rewrite_filter.h"
#include "hangu/filter/route_filter.h"
#include "hangu/filter/split_filter.h"

namespace hangu::server {

std::shared_ptr<const filter::Snapshot> SnapshotBuilder::build(
    std::shared_ptr<const config::Config> config, audit::LogWriter* access_log,
    const TlsContexts& tls) {
  auto snapshot = std::make_shared<filter::Snapshot>();
  snapshot->route_table = policy::RouteTable(*config);
  snapshot->entry.add(std::make_shared<filter::RouteFilter>());
  if (access_log != nullptr) {
    snapshot->entry.add(std::make_shared<filter::AccessLogFilter>(*access_log));
  }
  for (const config::Listener& listener : config->listeners) {
    snapshot->listeners.push_back(
        {.config = &listener,
         .trusted_proxies = policy::CidrSet(listener.trusted_proxies),
         .proxy_protocol_from = policy::CidrSet(listener.proxy_protocol_from)});
    if (const auto found = tls.listeners.find(listener.name); found != tls.listeners.end()) {
      snapshot->listeners.back().tls = found->second;
    }
  }
  const RateLimits limits = build_rate_limits(*config);
  for (const config::Route& route : config->routes) {
    snapshot->routes.push_back(build_route(*config, route, limits));
  }
  snapshot->config = std::move(config);
  return snapshot;
}

/// As config.rate_limits. Those that go on by the same key keep what they have counted.
SnapshotBuilder::RateLimits SnapshotBuilder::build_rate_limits(const config::Config& config) {
  RateLimits limits;
  std::unordered_map<std::string, RateLimitMemory> kept;
  for (const config::RateLimit& limit : config.rate_limits) {
    RateLimitMemory memory{.key = limit.key, .keys_max = limit.keys_max};
    const auto found = rate_limits_.find(limit.name);
    if (found != rate_limits_.end() && found->second.key == limit.key &&
        found->second.keys_max == limit.keys_max) {
      memory = found->second;
    } else {
      memory.counts = std::make_shared<filter::RateLimitCounts>(limit.keys_max, random_.next(),
                                                                registry_.rate_limit(limit.name));
    }
    limits.push_back(std::make_shared<filter::RateLimit>(limit, memory.counts));
    kept.emplace(limit.name, std::move(memory));
  }
  rate_limits_ = std::move(kept);
  return limits;
}

filter::RouteRuntime SnapshotBuilder::build_route(const config::Config& config,
                                                  const config::Route& route,
                                                  const RateLimits& limits) {
  filter::RouteRuntime runtime;
  runtime.config = &route;
  runtime.stats = registry_.route(route.name);
  if (route.upstream != config::kNoUpstream) {
    runtime.cluster = cluster_number(config.upstreams[route.upstream].name);
  }
  if (!route.clients.allow.empty() || !route.clients.deny.empty()) {
    runtime.chain.add(std::make_shared<filter::ClientFilter>(route.clients));
  }
  RateLimits own;
  for (const uint32_t limit : route.rate_limits) {
    if (limits[limit]->config().mode != config::Mode::kOff) {
      own.push_back(limits[limit]);
    }
  }
  if (!own.empty()) {
    runtime.chain.add(std::make_shared<filter::RateLimitFilter>(std::move(own)));
  }
  if (route.redirect.enabled) {
    runtime.chain.add(std::make_shared<filter::RedirectFilter>(route));
  } else if (route.respond.enabled) {
    runtime.chain.add(std::make_shared<filter::RespondFilter>(route.respond));
  } else if (route.rewrite != config::Rewrite{}) {
    runtime.chain.add(std::make_shared<filter::RewriteFilter>(route));
  }
  if (route.split.enabled) {
    std::vector<filter::SplitFilter::Share> shares;
    for (const config::Split::Part& part : route.split.upstreams) {
      shares.push_back({.weight = part.weight,
                        .upstream = part.upstream,
                        .cluster = cluster_number(config.upstreams[part.upstream].name)});
    }
    runtime.chain.add(std::make_shared<filter::SplitFilter>(shares, route.split.key));
  }
  auto edit =
      std::make_shared<filter::HeaderEditFilter>(route.request_headers, route.response_headers);
  if (edit->hooks() != 0) {
    runtime.chain.add(std::move(edit));
  }
  if (route.grpc_web) {
    runtime.chain.add(std::make_shared<filter::GrpcWebFilter>());
  }
  return runtime;
}

}  // namespace hangu::server
