// SharedSlots: how many requests of one kind the whole node may have under way, and on which shards
// others wait for that, by priority. Whoever ends gives its slot to a shard where somebody waits:
// the highest class that waits anywhere, shards in turn; so a shard without a request of its own
// does not wait for ever. Pure: who waits on a shard, and how a shard hears, is the caller's. Named
// atomics that all shards write; one fetch_add to take and one to give back.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>

#include "hangu/config/config.h"

namespace hangu::policy {

class SharedSlots {
 public:
  struct Grant {
    uint32_t shard = 0;
    config::Priority priority = config::Priority::kNormal;
  };

  explicit SharedSlots(uint32_t shards)
      : waiting_(std::make_unique<ShardWaiting[]>(shards)),
        shards_(shards) {}

  SharedSlots(const SharedSlots&) = delete;
  SharedSlots& operator=(const SharedSlots&) = delete;

  /// A slot for one who comes anew: not while others wait.
  bool take(uint32_t max) noexcept;

  /// A slot whatever the limit. True: it is over `max`.
  bool take_anyway(uint32_t max) noexcept { return taken_.fetch_add(1) >= max; }

  /// The slot is free, or it is that shard's from now on: it has to hear of that.
  std::optional<Grant> give_back(uint32_t max) noexcept;

  /// One more waits on a shard; false: `waiting_max` do already. What is returned in `grant` is as
  /// of give_back(): a slot became free meanwhile.
  bool wait(Grant who, uint32_t max, uint32_t waiting_max, std::optional<Grant>& grant) noexcept;

  /// It does not wait any more, without a slot. False: a slot for it is on its way to the shard.
  bool leave(Grant who) noexcept;

  /// After the limit was raised: a free slot for somebody who waits.
  std::optional<Grant> grant_free(uint32_t max) noexcept;

  uint32_t taken() const { return taken_.load(std::memory_order_relaxed); }

  uint32_t waiting() const { return waiting_all_.load(std::memory_order_relaxed); }

 private:
  struct alignas(64) ShardWaiting {
    std::array<std::atomic<uint32_t>, config::kPriorities> by_priority{};
  };

  std::optional<Grant> choose() noexcept;

  alignas(64) std::atomic<uint32_t> taken_{0};
  std::atomic<uint32_t> waiting_all_{0};  // without a slot on its way
  std::atomic<uint32_t> turn_{0};
  std::unique_ptr<ShardWaiting[]> waiting_;
  uint32_t shards_;
};

}  // namespace hangu::policy
