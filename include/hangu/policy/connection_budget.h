// ConnectionBudget: how many connections to an upstream, or to one of its endpoints, the whole node
// has, against a limit. A shard that has none and may not make one starves: meanwhile the others
// give up those that they do not use and make no more. Pure; named atomics that all shards write,
// once for each connection.
#pragma once

#include <atomic>
#include <cstdint>

namespace hangu::policy {

class ConnectionBudget {
 public:
  /// `max` 0: no limit. Each connection counts in any case, as limits come with a reload.
  bool take(uint32_t max) noexcept {
    if (taken_.fetch_add(1, std::memory_order_relaxed) < max || max == 0) {
      return true;
    }
    give_back();
    return false;
  }

  void take_anyway() noexcept { taken_.fetch_add(1, std::memory_order_relaxed); }

  void give_back() noexcept { taken_.fetch_sub(1, std::memory_order_relaxed); }

  uint32_t taken() const { return taken_.load(std::memory_order_relaxed); }

  // Once for each shard that starves.
  void starve() noexcept { starving_.fetch_add(1, std::memory_order_relaxed); }

  void end_starving() noexcept { starving_.fetch_sub(1, std::memory_order_relaxed); }

  bool starving() const { return starving_.load(std::memory_order_relaxed) != 0; }

 private:
  std::atomic<uint32_t> taken_{0};
  std::atomic<uint32_t> starving_{0};
};

}  // namespace hangu::policy
