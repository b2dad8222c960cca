// What a route does to a request and its response on the way, for explain().
#pragma once

#include <boost/json.hpp>

#include "hangu/config/config.h"

namespace hangu::admin {

/// [{"action": "cors", "does": "..."}], in the order in which a request meets them.
boost::json::array actions_json(const config::Config& config, const config::Route& route);

}  // namespace hangu::admin
