// AcceptQueues: how full the kernel's queues of connections are that a shard has not accepted yet,
// and the step that each shard's calls for under `overload`. Asked from outside, at a time of its
// own: a shard that looked itself would have emptied them in the same turn. Control thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "hangu/config/config.h"
#include "hangu/policy/overload.h"
#include "hangu/stats/registry.h"

namespace hangu::server {

class AcceptQueues {
 public:
  struct Change {
    uint32_t shard = 0;
    policy::OverloadStep step = policy::OverloadStep::kNone;
  };

  explicit AcceptQueues(stats::Registry& registry)
      : registry_(registry),
        shards_(registry.shards()) {}

  /// Socket i is that of shard i modulo their number, which owns it and closes it only after
  /// forget().
  void add(const std::string& listener, const std::vector<int>& sockets);

  void forget(const std::string& listener) { sockets_.erase(listener); }

  void forget_all() { sockets_.clear(); }

  /// Looks, notes and logs what has changed; the shards whose step is another than before.
  std::vector<Change> sample(const config::Overload& overload, TimePoint now);

 private:
  /// The fullest of a shard's queues.
  struct Fill {
    uint32_t waiting = 0;
    uint32_t most = 0;
    uint32_t percent = 0;
  };

  struct ShardQueue {
    uint32_t percent_before = 0;
    policy::StepTracker<uint32_t> tracker;
  };

  Fill fullest(uint32_t shard) const;
  policy::OverloadStep look(uint32_t shard, const config::Overload& overload, TimePoint now);

  stats::Registry& registry_;
  std::map<std::string, std::vector<int>> sockets_;  // by listener; of each shard
  std::vector<ShardQueue> shards_;
};

}  // namespace hangu::server
