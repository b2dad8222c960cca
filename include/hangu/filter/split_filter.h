// SplitFilter: chooses one of the upstreams that share the requests of a route: the one that the
// request names, if it may; else the one that is there for its client; else by the bucket of its
// key, of the cookie it got before, or at random.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hangu/config/config.h"
#include "hangu/filter/filter.h"
#include "hangu/filter/request_key.h"
#include "hangu/policy/traffic_split.h"

namespace hangu::filter {

class SplitFilter final : public Filter {
 public:
  struct Share {
    std::string name;           // of the upstream
    uint32_t upstream = 0;      // index in Config::upstreams
    uint32_t cluster = 0;       // its number, see RouteRuntime::cluster
    config::IdentityMatch who;  // see config::Split::Part
  };

  /// `shares` as split.upstreams, whose weights are not all 0.
  SplitFilter(std::vector<Share> shares, const config::Split& split);

  std::string_view name() const override { return "split"; }

  uint8_t hooks() const override;

  FilterStatus on_request_headers(Stream& stream) const noexcept override;
  FilterStatus on_response_headers(Stream& stream) const noexcept override;

 private:
  const Share* named(const Stream& stream) const noexcept;
  const Share* reserved(const Stream& stream) const noexcept;
  uint32_t bucket(Stream& stream) const noexcept;

  std::vector<Share> shares_;
  policy::TrafficSplit split_;
  config::Split::Override choice_;
  std::optional<RequestKey> key_;
  std::string cookie_;  // sticky; empty: none
  std::string cookie_attributes_;
};

}  // namespace hangu::filter
