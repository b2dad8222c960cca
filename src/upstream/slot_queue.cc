#include "hangu/upstream/slot_queue.h"

#include <numeric>

namespace hangu::upstream {

void SlotQueue::configure(const config::UpstreamLimits& limits, const config::RequestQueue& queue) {
  max_ = limits.requests_max == 0 ? UINT32_MAX : limits.requests_max;
  waiting_max_ = queue.max;
  while (const std::optional<Grant> grant = limits_.requests.grant_free(max_)) {
    pass_on(grant);
  }
}

SlotQueue::Entry SlotQueue::enter(SlotWaiter& waiter, config::Priority priority) noexcept {
  if (limits_.requests.take(max_)) {
    stats_.slots.add();
    return Entry::kEntered;
  }
  std::optional<Grant> grant;
  if (!limits_.requests.wait({.shard = shard_, .priority = priority}, max_, waiting_max_, grant)) {
    stats_.overflow_requests.add();
    return Entry::kFull;
  }
  waiter.slot_priority = priority;
  waiting_[static_cast<size_t>(priority)].push_back(waiter);
  stats_.queued.add();
  stats_.queue_entered.add();
  pass_on(grant);
  return Entry::kWaiting;
}

bool SlotQueue::take() noexcept {
  const bool taken = limits_.requests.take(max_);
  stats_.slots.add(taken ? 1 : 0);
  return taken;
}

bool SlotQueue::enter_anyway() noexcept {
  stats_.slots.add();
  return limits_.requests.take_anyway(max_);
}

void SlotQueue::leave(SlotWaiter& waiter) noexcept {
  if (waiter.linked()) {
    waiter.unlink();
    stats_.queued.subtract();
    // If a slot for it is on its way already, that goes to the next.
    static_cast<void>(limits_.requests.leave({.shard = shard_, .priority = waiter.slot_priority}));
  }
}

void SlotQueue::give_back() noexcept {
  stats_.slots.subtract();
  pass_on(limits_.requests.give_back(max_));
}

void SlotQueue::pass_on(const std::optional<Grant>& grant) noexcept {
  if (!grant) {
    return;
  }
  if (grant->shard == shard_) {
    on_grant(grant->priority);
  } else {
    limits_.shards_of_upstream.post(grant->shard, static_cast<uint32_t>(grant->priority));
  }
}

void SlotQueue::on_grant(config::Priority priority) noexcept {
  ++granted_[static_cast<size_t>(priority)];
  if (!pending()) {
    loop_.defer(*this);
  }
}

void SlotQueue::run_deferred() noexcept {
  for (size_t below = 1; below <= config::kPriorities; ++below) {
    const size_t priority = config::kPriorities - below;
    while (granted_[priority] != 0) {
      --granted_[priority];
      serve(static_cast<config::Priority>(priority));
    }
  }
  if (!pending() && std::accumulate(granted_.begin(), granted_.end(), 0U) != 0) {
    loop_.defer(*this);
  }
}

SlotWaiter* SlotQueue::first() noexcept {
  for (size_t below = 1; below <= config::kPriorities; ++below) {
    if (SlotWaiter* waiter = waiting_[config::kPriorities - below].front()) {
      return waiter;
    }
  }
  return nullptr;
}

void SlotQueue::serve(config::Priority granted) noexcept {
  SlotWaiter* const waiter = first();
  if (waiter == nullptr) {
    pass_on(limits_.requests.give_back(max_));  // who it was for has left
    return;
  }
  if (waiter->slot_priority != granted) {
    static_cast<void>(limits_.requests.leave({.shard = shard_, .priority = waiter->slot_priority}));
  }
  waiter->unlink();
  stats_.queued.subtract();
  stats_.slots.add();
  waiter->on_slot();
}

}  // namespace hangu::upstream
