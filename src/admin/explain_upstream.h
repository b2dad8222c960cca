// The part of `explain` that tells what the upstream of a request is, and all that is in force on
// the way there: balancing, checks, limits, retries.
#pragma once

#include <boost/json.hpp>

#include "hangu/config/config.h"
#include "hangu/server/gateway.h"

#include "admin/asked_request.h"

namespace hangu::admin {

/// {"name": "app", "endpoints": [...], "policies": [{"policy": "balancing", "does": "..."}], ...};
/// `live`: nullptr where no process is asked.
boost::json::object upstream_json(const config::Upstream& upstream, const AskedRequest& request,
                                  const server::GatewayStatus* live);

}  // namespace hangu::admin
