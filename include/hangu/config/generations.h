// What two generations of the config have in common. Pure; off the shards.
#pragma once

#include "hangu/config/config.h"

namespace hangu::config {

/// Lets `next` have the same objects as `before` where its routes are the same, so that whoever
/// compiles it knows at a glance what has changed. Those that are the same objects already cost
/// next to nothing.
void share_unchanged(Config& next, const Config& before);

/// The routes of `list` that are not, as objects, in `other`.
RouteList routes_not_in(const RouteList& other, const RouteList& list);

}  // namespace hangu::config
