// SlotQueue: the requests of one shard that wait for one of the slots which the whole node has for
// an upstream (`limits.requests_max`): first in, first out within a class of priority. Slots that
// other shards give come by mailbox. Owned by the Cluster.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "hangu/base/intrusive_list.h"
#include "hangu/config/config.h"
#include "hangu/event/loop.h"
#include "hangu/policy/shared_slots.h"
#include "hangu/stats/upstream_stats.h"
#include "hangu/upstream/node_limits.h"

namespace hangu::upstream {

/// One who waits; not any more once the queue let go of it.
class SlotWaiter : public ListNode<SlotWaiter> {
 public:
  /// It has a slot now.
  virtual void on_slot() noexcept = 0;

  config::Priority slot_priority = config::Priority::kNormal;  // the queue's

 protected:
  ~SlotWaiter() = default;
};

class SlotQueue final : private event::Deferred {
 public:
  enum class Entry : uint8_t { kEntered, kWaiting, kFull };

  SlotQueue(NodeLimits& limits, event::Loop& loop, uint32_t shard, stats::UpstreamSlot& stats)
      : limits_(limits),
        loop_(loop),
        stats_(stats),
        shard_(shard) {}

  SlotQueue(const SlotQueue&) = delete;
  SlotQueue& operator=(const SlotQueue&) = delete;

  void configure(const config::UpstreamLimits& limits, const config::RequestQueue& queue);

  /// kEntered: it has a slot. kWaiting: on_slot() will tell; not before this returns.
  Entry enter(SlotWaiter& waiter, config::Priority priority) noexcept;

  /// One more for somebody who need not wait for it.
  bool take() noexcept;

  /// Counts a request that is let through whatever the limit. True: it is over it.
  bool enter_anyway() noexcept;

  /// It waits no more.
  void leave(SlotWaiter& waiter) noexcept;

  /// Of one who had a slot.
  void give_back() noexcept;

  /// Another shard gave a slot to this one, for somebody of this class.
  void on_grant(config::Priority priority) noexcept;

 private:
  using Grant = policy::SharedSlots::Grant;

  /// Gives slots to those who wait, one after the other: each may end at once and give its own.
  void run_deferred() noexcept override;
  void pass_on(const std::optional<Grant>& grant) noexcept;
  void serve(config::Priority granted) noexcept;
  SlotWaiter* first() noexcept;

  NodeLimits& limits_;
  event::Loop& loop_;
  stats::UpstreamSlot& stats_;
  uint32_t shard_;
  uint32_t max_ = 0;
  uint32_t waiting_max_ = 0;
  std::array<IntrusiveList<SlotWaiter>, config::kPriorities> waiting_;
  std::array<uint32_t, config::kPriorities> granted_{};  // slots for this shard, not yet given out
};

}  // namespace hangu::upstream
