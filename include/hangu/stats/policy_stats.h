// RateLimitStats: what one rate limit decided. Lives on over config generations as long as its name
// does.
#pragma once

#include "hangu/stats/counter.h"
#include "hangu/stats/per_shard.h"
#include "hangu/stats/shard_stats.h"

namespace hangu::stats {

struct alignas(kCacheLine) RateLimitSlot {
  Counter allowed;
  Counter rejected;
  Counter shadow_rejected;  // would have been
  Counter shared_keys;      // decisions for keys that found no place of their own
};

class RateLimitStats : public PerShard<RateLimitSlot> {
 public:
  using PerShard::PerShard;
};

}  // namespace hangu::stats
