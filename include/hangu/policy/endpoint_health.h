// EndpointHealth: what is known of one endpoint, on the whole node: whether requests or checks have
// shown it to be unwell, and what an operator wants of it. Shared by all shards and the control
// thread without a lock. Pure; the caller brings the time. Any thread.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string_view>

#include "hangu/config/config.h"

namespace hangu::policy {

/// Moves when the health of any endpoint of an upstream does: who keeps something made from it
/// looks again.
class PoolVersion {
 public:
  uint64_t value() const noexcept { return value_.load(std::memory_order_acquire); }

  void move() noexcept { value_.fetch_add(1, std::memory_order_release); }

 private:
  std::atomic<uint64_t> value_{1};
};

class EndpointHealth {
 public:
  /// What the checks say.
  enum class Check : uint8_t { kNone, kGood, kBad };

  /// What an operator says: take requests; only those that belong here; none and no checks.
  enum class Order : uint8_t { kReady, kDrain, kMaintenance };

  /// Failures of the application, or without an answer of it.
  enum class Failure : uint8_t { kApplication, kGateway };

  struct Tally {
    uint32_t requests = 0;
    uint32_t failures = 0;
  };

  /// `since_ns`: when it was found; 0: with all others, it is not to start slowly.
  EndpointHealth(std::shared_ptr<PoolVersion> version, uint32_t shards, int64_t since_ns = 0);

  EndpointHealth(const EndpointHealth&) = delete;
  EndpointHealth& operator=(const EndpointHealth&) = delete;

  /// Whether it may be expected to answer. `order`: of looking for an ejection.
  bool well(int64_t now_ns, std::memory_order order = std::memory_order_relaxed) const noexcept {
    return ejected_until_ns_.load(order) <= now_ns && check() != Check::kBad;
  }

  Check check() const noexcept { return check_.load(std::memory_order_relaxed); }

  Order order() const noexcept { return order_.load(std::memory_order_relaxed); }

  /// From now on; 0: it is not.
  int64_t ejected_for_ns(int64_t now_ns) const noexcept {
    return std::max<int64_t>(ejected_until_ns_.load(std::memory_order_relaxed) - now_ns, 0);
  }

  /// Since when it has been there without a break; 0: from the beginning.
  int64_t there_since_ns(int64_t now_ns) const noexcept;

  // What requests show.
  void succeeded() noexcept {
    if (failures_.load(std::memory_order_relaxed) != 0) {
      failures_.store(0, std::memory_order_relaxed);
    }
    if (gateway_failures_.load(std::memory_order_relaxed) != 0) {
      gateway_failures_.store(0, std::memory_order_relaxed);
    }
  }

  /// Whether there have been enough in a row.
  bool failed(const config::Ejection& options, Failure kind) noexcept;
  /// For longer each time, unless it was well for as long as it would be ejected now. `jitter`:
  /// 0 … 1, spreads the return of several by a tenth. 0: somebody else has ejected it; else for how
  /// long. See eject_unless_last().
  int64_t eject(const config::Ejection& options, double jitter, int64_t now_ns) noexcept;
  /// Whether there was one.
  bool end_ejection(int64_t now_ns) noexcept;
  /// The same at once, as if there had been none.
  void undo_ejection(int64_t now_ns) noexcept;

  // What checks and operators say; false: it was known.
  bool set_check(Check check, int64_t now_ns) noexcept;
  bool set_order(Order order, int64_t now_ns) noexcept;

  /// Of one shard, for the statistics of an interval.
  void count(uint32_t shard, bool failure) noexcept;
  /// Of all shards since the beginning.
  Tally tally() const noexcept;

 private:
  struct alignas(64) ShardTally {
    std::atomic<uint32_t> requests{0};
    std::atomic<uint32_t> failures{0};
  };

  std::shared_ptr<PoolVersion> version_;
  std::unique_ptr<ShardTally[]> tallies_;
  uint32_t shards_;
  std::atomic<Check> check_{Check::kNone};
  std::atomic<Order> order_{Order::kReady};
  std::atomic<uint32_t> failures_{0};  // in a row
  std::atomic<uint32_t> gateway_failures_{0};
  std::atomic<uint32_t> ejections_{0};
  std::atomic<int64_t> ejected_until_ns_{0};
  std::atomic<int64_t> since_ns_;
};

/// Whether one more endpoint may be ejected: not above `percent_max`, one in any case, never the
/// last. `unwell`: how many of `count` are so by now.
bool may_eject(size_t unwell, size_t count, uint32_t percent_max) noexcept;

/// Of a pool those endpoints that an operator has in service.
class InService {
 public:
  void add(const EndpointHealth& one, int64_t now_ns) noexcept {
    if (one.order() == EndpointHealth::Order::kReady) {
      ++count_;
      unwell_ += one.well(now_ns, std::memory_order_seq_cst) ? 0U : 1U;
    }
  }

  /// One more of them.
  bool may_eject(uint32_t percent_max) const noexcept {
    return policy::may_eject(unwell_, count_, percent_max);
  }

  bool any_well() const noexcept { return unwell_ < count_; }

 private:
  size_t count_ = 0;
  size_t unwell_ = 0;
};

/// EndpointHealth::eject(), but not of one that would leave nobody: of the last two in service two
/// threads may each eject one, and at least one of them sees that afterwards. `in_service()`: of
/// the pool, asked after the ejection. 0: it is not ejected.
template <class AskInService>
int64_t eject_unless_last(EndpointHealth& one, const config::Ejection& options, double jitter,
                          int64_t now_ns, const AskInService& in_service) noexcept {
  const int64_t length = one.eject(options, jitter, now_ns);
  if (length != 0 && !in_service().any_well()) {
    one.undo_ejection(now_ns);
    return 0;
  }
  return length;
}

std::string_view to_string(EndpointHealth::Check check) noexcept;
std::string_view to_string(EndpointHealth::Order order) noexcept;

}  // namespace hangu::policy
