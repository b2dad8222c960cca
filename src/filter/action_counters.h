// What the actions of a stream's route count, on its shard.
#pragma once

#include "hangu/filter/stream.h"
#include "hangu/stats/route_stats.h"

namespace hangu::filter {

/// Of a stream that has a route.
inline stats::RouteActionCounters& action_counters(Stream& stream) noexcept {
  return stream.route()->stats->slot(stream.shard().shard()).actions;
}

}  // namespace hangu::filter
