// Compiles the authorization services of a config into filters, and keeps over generations what
// they remember. Control thread only.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "hangu/config/config.h"
#include "hangu/filter/forward_auth_filter.h"
#include "hangu/stats/registry.h"

namespace hangu::server {

class ForwardAuthBuilder {
 public:
  explicit ForwardAuthBuilder(stats::Registry& registry)
      : registry_(registry) {}

  struct Needs {
    std::shared_ptr<const filter::ConsumerTable> consumers;
    std::string_view secret;  // of the process
    std::function<uint32_t(const std::string& upstream)> cluster_number;
  };

  void build(const config::Config& config, const Needs& needs);

  /// The filter of a route of that generation; nullptr: it has none.
  std::shared_ptr<const filter::Filter> filter_of(const config::Route& route) const;

 private:
  struct Memory {
    config::ForwardAuth config;
    std::string upstream;
    std::shared_ptr<filter::ForwardAuthMemory> memory;
  };

  stats::Registry& registry_;
  std::map<std::string, Memory> memories_;
  std::vector<std::shared_ptr<const filter::Filter>> filters_;  // as Config::forward_auths
};

}  // namespace hangu::server
