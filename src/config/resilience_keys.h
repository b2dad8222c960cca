// The keys that say what happens when an upstream or one of its endpoints fails or is full. See
// schema.cc.
#pragma once

#include "config/keys.h"

namespace hangu::config {

/// Of an upstream: limits, queue, retries, hedging, circuit breaker.
void add_resilience(ObjectType<Upstream>& type);

/// Of a route: its priority, deadlines, circuit breaker.
void add_resilience(ObjectType<Route>& type);

}  // namespace hangu::config
