// HashedEndpoint: what tables for consistent hashing know of an endpoint. Plain data.
#pragma once

#include <cstdint>
#include <string_view>

namespace hangu::policy {

struct HashedEndpoint {
  std::string_view name;  // its address: alike on all nodes
  uint32_t weight = 1;    // not 0
};

}  // namespace hangu::policy
