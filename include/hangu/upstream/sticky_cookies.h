// StickyCookies: leads clients back to the endpoint they had, by a cookie that names it with a
// keyed hash of its address: who has the cookie learns nothing, and nobody can make one. One
// upstream on one shard, owned by its Balancer.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "hangu/config/config.h"

namespace hangu::filter {
class Stream;
}

namespace hangu::upstream {

class Endpoint;

class StickyCookies {
 public:
  /// With a secret.
  void configure(const config::StickyCookie& config);
  void set_endpoints(std::span<const std::unique_ptr<Endpoint>> endpoints);

  bool enabled() const { return config_.enabled; }

  /// The endpoint that the request's cookie names; nullptr: none that is still here.
  Endpoint* home(const filter::Stream& stream) const noexcept;
  /// Adds the cookie to the response, unless the request had it.
  void lead_back(filter::Stream& stream, const Endpoint& endpoint) const noexcept;

 private:
  void make_names(std::span<Endpoint* const> endpoints);
  std::string attributes() const;

  config::StickyCookie config_;
  std::vector<std::pair<std::string, Endpoint*>> names_;  // sorted
};

}  // namespace hangu::upstream
