#include "server/endpoint_list.h"

#include <fmt/format.h>

#include "hangu/net/address.h"

namespace hangu::server {
namespace {

std::string endpoint_text(const config::Endpoint& endpoint) {
  if (!endpoint.unix_path.empty()) {
    return "unix:" + endpoint.unix_path;
  }
  const bool v6 = endpoint.host.find(':') != std::string::npos;
  return fmt::format("{}{}{}:{}", v6 ? "[" : "", endpoint.host, v6 ? "]" : "", endpoint.port);
}

}  // namespace

std::vector<ResolvedEndpoint> numeric_endpoints(const config::Upstream& upstream) {
  std::vector<ResolvedEndpoint> endpoints;
  if (upstream.discovery.enabled()) {
    return endpoints;
  }
  for (const config::Endpoint& endpoint : upstream.endpoints) {
    std::string text = endpoint_text(endpoint);
    if (!net::Address::parse(text)) {
      return {};
    }
    endpoints.push_back(
        {.address = text, .host = text, .weight = endpoint.weight, .priority = endpoint.priority});
  }
  return endpoints;
}

std::vector<policy::PriorityLevel> levels_of(const config::Upstream& upstream,
                                             const std::vector<EndpointHandle>& endpoints,
                                             int64_t now_ns) {
  std::vector<policy::LevelMember> members;
  for (const EndpointHandle& handle : endpoints) {
    if (handle.health->order() == policy::EndpointHealth::Order::kReady) {
      members.push_back(
          {.priority = handle.endpoint.priority, .well = handle.health->well(now_ns)});
    }
  }
  return policy::priority_levels(members, upstream.balancing.panic_percent);
}

}  // namespace hangu::server
