// What follows from the endpoints of an upstream. Pure.
#pragma once

#include <vector>

#include "hangu/config/config.h"
#include "hangu/server/gateway.h"

namespace hangu::server {

/// The endpoints of an upstream when all are numeric and in the config; empty when a name needs DNS
/// or there are more to be found.
std::vector<ResolvedEndpoint> numeric_endpoints(const config::Upstream& upstream);

}  // namespace hangu::server
