// What one plugin does and costs. Lives on over config generations and versions of the plugin as
// long as its name does.
#pragma once

#include <atomic>
#include <cstdint>

#include "hangu/stats/counter.h"
#include "hangu/stats/per_shard.h"
#include "hangu/stats/shard_stats.h"

namespace hangu::stats {

struct alignas(kCacheLine) PluginSlot {
  Counter calls;
  Counter time_ns;         // within calls
  Counter errors;          // calls that failed
  Counter overruns;        // calls that took longer than the budget
  Counter replies;         // requests that it answered
  Counter shadow_replies;  // would have
  Gauge complained_s;      // when the log was last told of an overrun or error, see plugin/
};

class PluginStats : public PerShard<PluginSlot> {
 public:
  using PerShard::PerShard;

  // Of hangu_host::allocate, which any thread may call.
  std::atomic<uint64_t> allocations{0};
  std::atomic<uint64_t> allocated_bytes{0};  // not given back yet
  std::atomic<uint64_t> swaps{0};
};

}  // namespace hangu::stats
