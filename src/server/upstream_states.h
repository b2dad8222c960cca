// UpstreamStates: what all shards have in common of each upstream, by its name: endpoints and their
// health, circuit breaker, limits. It outlives reloads; also what an upstream has that a reload
// takes away, should it come back. Control thread.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "hangu/config/config.h"
#include "hangu/policy/circuit_breaker.h"
#include "hangu/server/gateway.h"
#include "hangu/stats/registry.h"
#include "hangu/upstream/node_limits.h"

#include "server/adaptive_limits.h"
#include "server/endpoint_pools.h"
#include "server/shard.h"

namespace hangu::server {

class UpstreamStates {
 public:
  explicit UpstreamStates(stats::Registry& registry)
      : registry_(registry) {}

  EndpointPools& pools() { return pools_; }

  const EndpointPools& pools() const { return pools_; }

  /// What shards are told of an upstream, but for its number and its TLS context.
  ClusterUpdate update_of(const config::Upstream& upstream);

  UpstreamStatus status_of(const config::Upstream& upstream) const;

 private:
  std::shared_ptr<policy::CircuitBreaker> breaker(const std::string& upstream);
  std::shared_ptr<upstream::NodeLimits> limits(const config::Upstream& upstream);
  CircuitStatus circuit_of(const config::Upstream& upstream) const;

  stats::Registry& registry_;
  EndpointPools pools_{registry_.shards()};
  std::map<std::string, std::shared_ptr<policy::CircuitBreaker>, std::less<>> breakers_;
  std::map<std::string, std::shared_ptr<upstream::NodeLimits>, std::less<>> limits_;
  AdaptiveLimits adaptive_limits_{registry_.shards()};
};

}  // namespace hangu::server
