// The part of the metrics that is about the upstreams of splits.
#pragma once

#include "hangu/stats/registry.h"

#include "stats/prometheus_text.h"

namespace hangu::stats {

/// Nothing without any.
void add_splits(PrometheusText& text, const Registry& registry);

}  // namespace hangu::stats
