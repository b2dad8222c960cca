// EndpointPools: the endpoints of the upstreams as they are known, and what the node knows of the
// health of each, which outlives reloads and changes of addresses. Control thread.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "hangu/config/config.h"
#include "hangu/policy/connection_budget.h"
#include "hangu/policy/endpoint_health.h"
#include "hangu/server/gateway.h"
#include "hangu/upstream/cluster.h"

namespace hangu::server {

class EndpointPools {
 public:
  explicit EndpointPools(uint32_t shards)
      : shards_(shards) {}

  /// These are the endpoints from now on, as the shards take them; none: it stays as it is.
  std::vector<upstream::EndpointAddress> resolve(std::string_view upstream,
                                                 const std::vector<ResolvedEndpoint>& endpoints);

  std::vector<EndpointHandle> handles(std::string_view upstream) const;

  std::shared_ptr<policy::PoolVersion> version(const std::string& upstream) {
    return pools_[upstream].version;
  }

  /// Nobody stays ejected whom nobody would eject any more.
  void forgive(const config::Upstream& upstream);

 private:
  struct Pool {
    std::shared_ptr<policy::PoolVersion> version = std::make_shared<policy::PoolVersion>();
    std::map<std::string, std::shared_ptr<policy::EndpointHealth>, std::less<>> endpoints;
    std::map<std::string, std::shared_ptr<policy::ConnectionBudget>, std::less<>> connections;
    std::vector<ResolvedEndpoint> resolved;
  };

  const uint32_t shards_;
  std::map<std::string, Pool, std::less<>> pools_;  // by upstream
};

}  // namespace hangu::server
