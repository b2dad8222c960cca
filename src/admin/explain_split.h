// The part of `explain` that tells where a split sends a request, and why: as the SplitFilter does.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "hangu/config/config.h"
#include "hangu/control/release_controller.h"

#include "admin/asked_request.h"

namespace hangu::admin {

struct SplitChoice {
  std::optional<size_t> share;  // index in split.upstreams; none: at random
  std::string reason;
};

/// `release`: the buckets of the upstream that `ramp` releases; nullopt: there is no ramp.
SplitChoice choose_share(const config::Config& config, const config::Route& route,
                         const AskedRequest& request, std::optional<uint32_t> release);

struct ReleaseShown {
  uint32_t share = 0;  // of TrafficSplit::kBuckets
  std::string state;
};

/// Of a route with a ramp; at its beginning when nothing is known of it.
ReleaseShown release_of(const config::Config& config, const config::Route& route,
                        const std::vector<control::ReleaseStatus>& known);

}  // namespace hangu::admin
