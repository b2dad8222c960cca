// SplitFilter: chooses one of the upstreams that share the requests of a route.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "hangu/config/config.h"
#include "hangu/filter/filter.h"
#include "hangu/filter/request_key.h"

namespace hangu::filter {

class SplitFilter final : public Filter {
 public:
  struct Share {
    uint32_t weight = 1;
    uint32_t upstream = 0;  // index in Config::upstreams
    uint32_t cluster = 0;   // its number, see RouteRuntime::cluster
  };

  /// The weights are not all 0. Without a key requests go at random.
  SplitFilter(std::vector<Share> shares, const std::vector<config::KeyPart>& key);

  std::string_view name() const override { return "split"; }

  uint8_t hooks() const override { return kRequestHeaders; }

  FilterStatus on_request_headers(Stream& stream) const noexcept override;

 private:
  std::vector<Share> shares_;
  uint64_t sum_ = 0;  // of the weights
  std::optional<RequestKey> key_;
};

}  // namespace hangu::filter
