// AdaptiveLimits: the adaptive limits of concurrency of all upstreams, by name: they go on over
// generations, and there is none before the config asks for one. Control thread only.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "hangu/config/config.h"
#include "hangu/policy/adaptive_limit.h"
#include "hangu/server/gateway.h"

#include "server/random.h"

namespace hangu::server {

class AdaptiveLimits {
 public:
  explicit AdaptiveLimits(uint32_t shards)
      : shards_(shards) {}

  /// nullptr: the upstream has none.
  std::shared_ptr<policy::AdaptiveLimit> of(const config::Upstream& upstream) {
    if (!upstream.adaptive_concurrency.enabled) {
      return nullptr;
    }
    std::shared_ptr<policy::AdaptiveLimit>& limit = limits_[upstream.name];
    if (limit == nullptr) {
      limit = std::make_shared<policy::AdaptiveLimit>(shards_, random_.next());
    }
    return limit;
  }

  AdaptiveConcurrencyStatus status(const config::Upstream& upstream) const {
    const auto found = limits_.find(upstream.name);
    if (!upstream.adaptive_concurrency.enabled || found == limits_.end()) {
      return {};
    }
    return {.enabled = true, .limit = found->second->status()};
  }

 private:
  uint32_t shards_;
  Random random_;
  std::map<std::string, std::shared_ptr<policy::AdaptiveLimit>, std::less<>> limits_;
};

}  // namespace hangu::server
