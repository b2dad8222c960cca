// SplitPartStats: what became of the requests of a route that one upstream of its split got. Lives
// on over config generations as long as the route, the upstream and its version are the same.
#pragma once

#include <compare>
#include <string>

#include "hangu/stats/counter.h"
#include "hangu/stats/histogram.h"
#include "hangu/stats/per_shard.h"
#include "hangu/stats/shard_stats.h"

namespace hangu::stats {

struct alignas(kCacheLine) SplitPartSlot {
  Counter requests;
  Counter errors;     // that failed, and not by the client's doing
  Histogram latency;  // until the response began; of those that had one
};

using SplitPartStats = PerShard<SplitPartSlot>;

/// Whose it is; the version may be empty.
struct SplitPartName {
  std::string route;
  std::string upstream;
  std::string version;
  auto operator<=>(const SplitPartName&) const = default;
};

}  // namespace hangu::stats
