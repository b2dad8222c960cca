// What SRV records (RFC 2782) mean as endpoints. Pure.
#pragma once

#include <vector>

#include "hangu/config/config.h"
#include "hangu/control/resolver.h"

namespace hangu::control {

/// In the order of the records. The least priority is 0, the next one 1 and so on, all beyond our
/// last one are that; weights keep their proportions, and 0 is the least there is.
std::vector<config::Endpoint> srv_endpoints(const std::vector<SrvRecord>& records);

}  // namespace hangu::control
