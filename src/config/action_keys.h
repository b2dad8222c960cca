// The actions of a route that work beside its upstream. See keys.h.
#pragma once

#include "config/type.h"

namespace hangu::config {

void add_policy_actions(ObjectType<Route>& type);

}  // namespace hangu::config
