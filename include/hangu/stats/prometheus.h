// The statistics in Prometheus' text format 0.0.4. Reads only; any thread.
#pragma once

#include <string>

#include "hangu/stats/registry.h"

namespace hangu::stats {

/// Counters by shard, route and upstream. The number of series is bounded by the config: labels are
/// names from it, never text of a request.
std::string prometheus_text(const Registry& registry);

}  // namespace hangu::stats
