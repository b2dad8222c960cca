// PerShard<Slot>: one slot a shard, each on cache lines of its own, so that shards never write to
// the same line. A shard writes its slot, any thread reads all of them.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

namespace hangu::stats {

template <class Slot>
class PerShard {
 public:
  explicit PerShard(uint32_t shards)
      : slots_(std::make_unique<Slot[]>(shards)),
        shards_(shards) {}

  Slot& slot(uint32_t shard) noexcept { return slots_[shard]; }

  std::span<const Slot> slots() const noexcept { return {slots_.get(), shards_}; }

 private:
  std::unique_ptr<Slot[]> slots_;
  uint32_t shards_;
};

}  // namespace hangu::stats
