#include "server/upstream_states.h"

#include "server/endpoint_list.h"
#include "server/limit_status.h"
#include "server/part_status.h"
#include "server/steady_now.h"

namespace hangu::server {

ClusterUpdate UpstreamStates::update_of(const config::Upstream& upstream) {
  const std::vector<ResolvedEndpoint> numeric = numeric_endpoints(upstream);
  pools_.forgive(upstream);
  return {.config = upstream,
          .tls = nullptr,
          .stats = registry_.upstream(upstream.name),
          .breaker = breaker(upstream.name),
          .version = pools_.version(upstream.name),
          .limits = limits(upstream),
          .adaptive = adaptive_limits_.of(upstream),
          .endpoints = pools_.resolve(upstream.name, numeric),
          .replace_endpoints = !numeric.empty()};
}

/// Keeps its state over reloads.
std::shared_ptr<policy::CircuitBreaker> UpstreamStates::breaker(const std::string& upstream) {
  std::shared_ptr<policy::CircuitBreaker>& breaker = breakers_[upstream];
  if (breaker == nullptr) {
    breaker = std::make_shared<policy::CircuitBreaker>(registry_.shards());
  }
  return breaker;
}

/// What is under way counts on over reloads.
std::shared_ptr<upstream::NodeLimits> UpstreamStates::limits(const config::Upstream& upstream) {
  std::shared_ptr<upstream::NodeLimits>& limits = limits_[upstream.name];
  if (limits == nullptr) {
    limits = std::make_shared<upstream::NodeLimits>(registry_.shards());
  }
  publish_limits(upstream.limits, *registry_.upstream(upstream.name));
  return limits;
}

UpstreamStatus UpstreamStates::status_of(const config::Upstream& upstream) const {
  UpstreamStatus status{.name = upstream.name,
                        .endpoints = {},
                        .circuit = circuit_of(upstream),
                        .adaptive = adaptive_limits_.status(upstream),
                        .admission = {},
                        .levels = {},
                        .limits = {}};
  if (const auto limits = limits_.find(upstream.name); limits != limits_.end()) {
    add_limits(*limits->second, upstream.limits, status);
  }
  const int64_t now_ns = steady_now_ns();
  const std::vector<EndpointHandle> handles = pools_.handles(upstream.name);
  for (const EndpointHandle& handle : handles) {
    const policy::EndpointHealth& health = *handle.health;
    status.endpoints.push_back({.address = handle.endpoint.address,
                                .host = handle.endpoint.host,
                                .weight = handle.endpoint.weight,
                                .priority = handle.endpoint.priority,
                                .order = policy::to_string(health.order()),
                                .check = policy::to_string(health.check()),
                                .ejected_for = Duration(health.ejected_for_ns(now_ns))});
  }
  status.levels = levels_of(upstream, handles, now_ns);
  return status;
}

CircuitStatus UpstreamStates::circuit_of(const config::Upstream& upstream) const {
  const auto found = breakers_.find(upstream.name);
  const bool has_one = upstream.circuit_breaker.enabled && found != breakers_.end();
  return has_one ? server::status_of(*found->second) : CircuitStatus{};
}

}  // namespace hangu::server
