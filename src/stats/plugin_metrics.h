// The part of the metrics that is about plugins.
#pragma once

#include <string>

#include "hangu/stats/registry.h"

namespace hangu::stats {

/// Empty without plugins.
std::string plugin_metrics(const Registry& registry);

}  // namespace hangu::stats
