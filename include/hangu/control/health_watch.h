// HealthWatch: looks at the endpoints of all upstreams from time to time, for what no single
// request shows: outliers by the statistics of an interval, which it ejects; panic, which it tells;
// how many endpoints are in which state, for the metrics. Control thread.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "hangu/config/config.h"
#include "hangu/policy/endpoint_health.h"
#include "hangu/policy/outliers.h"
#include "hangu/server/gateway.h"

namespace hangu::control {

class HealthWatch {
 public:
  HealthWatch();

  /// To be called every kInterval.
  void look(const config::Config& config, server::Gateway& gateway, TimePoint now);

  static constexpr Duration kInterval = std::chrono::milliseconds(500);

 private:
  struct State {
    std::map<const policy::EndpointHealth*, policy::EndpointHealth::Tally> before;
    TimePoint interval_began{};
    bool panic = false;
  };

  void judge(const config::Upstream& upstream, const std::vector<server::EndpointHandle>& endpoints,
             server::Gateway& gateway, TimePoint now);
  void eject(const config::Upstream& upstream, const std::vector<server::EndpointHandle>& endpoints,
             const policy::Outlier& outlier, server::Gateway& gateway, int64_t now_ns);
  void publish(const config::Upstream& upstream,
               const std::vector<server::EndpointHandle>& endpoints, server::Gateway& gateway,
               TimePoint now);

  std::map<std::string, State> states_;  // by upstream
  std::minstd_rand random_;
};

}  // namespace hangu::control
