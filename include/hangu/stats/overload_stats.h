// OverloadStats: what the control thread measures of the process for `overload`; it writes, any
// thread reads. What shards measure of themselves is in ShardStats.
#pragma once

#include "hangu/stats/counter.h"

namespace hangu::stats {

struct OverloadStats {
  Gauge enabled;       // 0 or 1
  Gauge memory_bytes;  // resident
  Gauge memory_bytes_max;
  Gauge memory_step;  // a policy::OverloadStep
  Gauge descriptors;  // open
  Gauge descriptors_max;
  Gauge descriptors_step;
};

}  // namespace hangu::stats
