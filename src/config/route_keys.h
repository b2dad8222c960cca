// What a route does with a request, for the table of its keys. See schema.cc.
#pragma once

#include "config/keys.h"

namespace hangu::config {

/// `redirect`, `respond`, `rewrite`, `clients`.
void add_route_actions(ObjectType<Route>& type);

}  // namespace hangu::config
