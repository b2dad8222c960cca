#include "hangu/policy/shared_slots.h"

namespace hangu::policy {
namespace {

/// Not below 0. False: it is 0.
bool subtract_one(std::atomic<uint32_t>& number) noexcept {
  uint32_t value = number.load();
  while (value != 0) {
    if (number.compare_exchange_weak(value, value - 1)) {
      return true;
    }
  }
  return false;
}

/// Not above `max`. False: it is there.
bool add_one(std::atomic<uint32_t>& number, uint32_t max) noexcept {
  if (number.fetch_add(1) < max) {
    return true;
  }
  number.fetch_sub(1);
  return false;
}

}  // namespace

// Who begins to wait first says so and then looks for a free slot; who gives one back first frees
// it and then looks for those who wait. With sequentially consistent atomics one of them sees the
// other.

bool SharedSlots::take(uint32_t max) noexcept {
  return waiting_all_.load() == 0 && add_one(taken_, max);
}

/// The next shard where somebody of the highest waiting class waits.
std::optional<SharedSlots::Grant> SharedSlots::choose() noexcept {
  const uint32_t first = turn_.fetch_add(1, std::memory_order_relaxed);
  for (size_t below = 1; below <= config::kPriorities; ++below) {
    const size_t priority = config::kPriorities - below;
    for (uint32_t i = 0; i < shards_; ++i) {
      const uint32_t shard = (first + i) % shards_;
      if (subtract_one(waiting_[shard].by_priority[priority])) {
        waiting_all_.fetch_sub(1);
        return Grant{.shard = shard, .priority = static_cast<config::Priority>(priority)};
      }
    }
  }
  return std::nullopt;
}

std::optional<SharedSlots::Grant> SharedSlots::grant_free(uint32_t max) noexcept {
  if (waiting_all_.load() == 0 || !add_one(taken_, max)) {
    return std::nullopt;
  }
  const std::optional<Grant> grant = choose();
  if (!grant) {
    taken_.fetch_sub(1);
  }
  return grant;
}

std::optional<SharedSlots::Grant> SharedSlots::give_back(uint32_t max) noexcept {
  taken_.fetch_sub(1);
  return grant_free(max);
}

bool SharedSlots::wait(Grant who, uint32_t max, uint32_t waiting_max,
                       std::optional<Grant>& grant) noexcept {
  if (!add_one(waiting_all_, waiting_max)) {
    return false;
  }
  waiting_[who.shard].by_priority[static_cast<size_t>(who.priority)].fetch_add(1);
  grant = grant_free(max);
  return true;
}

bool SharedSlots::leave(Grant who) noexcept {
  if (!subtract_one(waiting_[who.shard].by_priority[static_cast<size_t>(who.priority)])) {
    return false;
  }
  waiting_all_.fetch_sub(1);
  return true;
}

}  // namespace hangu::policy
