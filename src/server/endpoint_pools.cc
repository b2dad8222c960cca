#include "server/endpoint_pools.h"

#include "hangu/base/log.h"
#include "hangu/net/address.h"

#include "server/steady_now.h"

namespace hangu::server {

std::vector<upstream::EndpointAddress> EndpointPools::resolve(
    std::string_view upstream, const std::vector<ResolvedEndpoint>& endpoints) {
  Pool& pool = pools_[std::string(upstream)];
  const auto unused = [](const auto& entry) { return entry.second.use_count() == 1; };
  std::erase_if(pool.endpoints, unused);
  std::erase_if(pool.connections, unused);
  const int64_t since = pool.endpoints.empty() ? 0 : steady_now_ns();
  std::vector<upstream::EndpointAddress> addresses;
  for (const ResolvedEndpoint& endpoint : endpoints) {
    const auto address = net::Address::parse(endpoint.address);
    if (!address) {
      log::error("event=bad_endpoint address={}", endpoint.address);
      continue;
    }
    auto& health = pool.endpoints[endpoint.address];
    if (health == nullptr) {
      health = std::make_shared<policy::EndpointHealth>(pool.version, shards_, since);
    }
    auto& connections = pool.connections[endpoint.address];
    if (connections == nullptr) {
      connections = std::make_shared<policy::ConnectionBudget>();
    }
    addresses.push_back({.address = *address,
                         .host = endpoint.host,
                         .health = health,
                         .connections = connections,
                         .weight = endpoint.weight,
                         .priority = endpoint.priority});
  }
  if (!endpoints.empty()) {
    pool.resolved = endpoints;
  }
  return addresses;
}

std::vector<EndpointHandle> EndpointPools::handles(std::string_view upstream) const {
  const auto pool = pools_.find(upstream);
  std::vector<EndpointHandle> handles;
  if (pool == pools_.end()) {
    return handles;
  }
  for (const ResolvedEndpoint& endpoint : pool->second.resolved) {
    const auto health = pool->second.endpoints.find(endpoint.address);
    if (health != pool->second.endpoints.end()) {
      handles.push_back({.endpoint = endpoint, .health = health->second});
    }
  }
  return handles;
}

void EndpointPools::forgive(const config::Upstream& upstream) {
  if (upstream.ejection.enabled && upstream.ejection.mode == config::Mode::kEnforce) {
    return;
  }
  for (const auto& [address, health] : pools_[upstream.name].endpoints) {
    health->end_ejection(steady_now_ns());
  }
}

}  // namespace hangu::server
