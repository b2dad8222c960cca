#include "server/snapshot_builder.h"

#include <utility>

#include "hangu/filter/access_log_filter.h"
#include "hangu/filter/grpc_web_filter.h"
#include "hangu/filter/header_edit_filter.h"
#include "hangu/filter/route_filter.h"

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
  for (const config::Route& route : config->routes) {
    snapshot->routes.push_back(build_route(*config, route));
  }
  snapshot->config = std::move(config);
  return snapshot;
}

filter::RouteRuntime SnapshotBuilder::build_route(const config::Config& config,
                                                  const config::Route& route) {
  filter::RouteRuntime runtime;
  runtime.config = &route;
  runtime.stats = registry_.route(route.name);
  runtime.cluster = cluster_number(config.upstreams[route.upstream].name);
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
