// Resolvers: one for each set of DNS servers that upstreams name, made when it is first asked.
// Control thread.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "hangu/control/resolver.h"

namespace hangu::control {

class Resolvers {
 public:
  explicit Resolvers(ResolverFactory make)
      : make_(std::move(make)) {}

  /// `servers`: as in Upstream::dns_servers. The resolver stays.
  Resolver& of(const std::vector<std::string>& servers) {
    std::string list;
    for (const std::string& each : servers) {
      list += (list.empty() ? "" : ",") + each;
    }
    std::unique_ptr<Resolver>& resolver = made_[list];
    if (resolver == nullptr) {
      resolver = make_(list);
    }
    return *resolver;
  }

  void reload_system_config() {
    for (const auto& [servers, resolver] : made_) {
      resolver->reload_system_config();
    }
  }

 private:
  ResolverFactory make_;
  std::map<std::string, std::unique_ptr<Resolver>> made_;
};

}  // namespace hangu::control
