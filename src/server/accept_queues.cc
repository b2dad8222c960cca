#include "server/accept_queues.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "hangu/base/log.h"
#include "hangu/net/listener.h"

#include "server/load_sampler.h"

namespace hangu::server {
namespace {

using policy::OverloadStep;

// There is no last step: while nobody accepts, the queue stays full.
constexpr uint32_t kNever = 1'000'000;

config::OverloadSteps<uint32_t> steps_of(const config::Overload& overload) {
  return {.shed_low = overload.accept_queue_percent.shed_low,
          .shed_normal = overload.accept_queue_percent.shed_normal,
          .stop = kNever};
}

}  // namespace

void AcceptQueues::add(const std::string& listener, const std::vector<int>& sockets) {
  sockets_[listener] = sockets;
}

AcceptQueues::Fill AcceptQueues::fullest(uint32_t shard) const {
  Fill fullest;
  for (const auto& [listener, sockets] : sockets_) {
    for (size_t i = shard; i < sockets.size(); i += shards_.size()) {
      const auto queue = net::accept_queue(sockets[i]);
      if (!queue || queue->most == 0) {
        continue;
      }
      const uint64_t percent = uint64_t{queue->waiting} * 100 / queue->most;
      if (fullest.most == 0 || percent > fullest.percent) {
        fullest = {.waiting = queue->waiting,
                   .most = queue->most,
                   .percent = static_cast<uint32_t>(std::min<uint64_t>(percent, 1000))};
      }
    }
  }
  return fullest;
}

/// What stands in a queue is what two looks find: a burst is gone by the second.
OverloadStep AcceptQueues::look(uint32_t shard, const config::Overload& overload, TimePoint now) {
  const Fill fill = fullest(shard);
  ShardQueue& queue = shards_[shard];
  const uint32_t standing =
      std::min(std::exchange(queue.percent_before, fill.percent), fill.percent);
  stats::ShardStats& stats = registry_.shard(shard);
  stats.accept_queue.set(fill.waiting);
  stats.accept_queue_max.set(fill.most);
  const OverloadStep before = queue.tracker.step();
  const OverloadStep step =
      queue.tracker.update(standing, steps_of(overload), now, overload.recovery);
  stats.accept_queue_step.set(static_cast<uint64_t>(step));
  if (step != before) {
    log::write(step > before ? log::Level::kWarning : log::Level::kInfo,
               fmt::format("event=overload_step trigger=accept_queue shard={} step={} before={} "
                           "value={} max={}",
                           shard, policy::to_string(step), policy::to_string(before), fill.waiting,
                           fill.most));
  }
  return step;
}

std::vector<AcceptQueues::Change> AcceptQueues::sample(const config::Overload& overload,
                                                       TimePoint now) {
  std::vector<Change> changes;
  for (uint32_t shard = 0; shard < shards_.size(); ++shard) {
    const OverloadStep before = shards_[shard].tracker.step();
    if (!is_on(overload)) {
      shards_[shard] = {};
      stats::ShardStats& stats = registry_.shard(shard);
      stats.accept_queue_step.set(0);
    }
    const OverloadStep step = is_on(overload) ? look(shard, overload, now) : OverloadStep::kNone;
    if (step != before) {
      changes.push_back({.shard = shard, .step = step});
    }
  }
  return changes;
}

}  // namespace hangu::server
