// The part of `explain` that tells where a split sends a request, and why: as the SplitFilter does.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "hangu/config/config.h"
#include "hangu/policy/path_matcher.h"
#include "hangu/policy/route_entry.h"

namespace hangu::admin {

/// A request as keys see it.
struct AskedRequest {
  std::string_view host;
  std::string_view path;
  std::string_view method;
  policy::RequestFacts facts;
  policy::Captures captures;
};

struct SplitChoice {
  std::optional<size_t> share;  // index in split.upstreams; none: at random
  std::string reason;
};

SplitChoice choose_share(const config::Config& config, const config::Route& route,
                         const AskedRequest& request);

}  // namespace hangu::admin
