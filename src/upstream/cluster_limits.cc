// The part of a Cluster that keeps to limits of the whole node: requests that wait for a
// connection, connections that others need more, and the budget of second tries.
#include "hangu/upstream/cluster.h"

namespace hangu::upstream {
namespace {

/// Beside the classes of priority, which are messages to a SlotQueue.
constexpr uint32_t kGiveUpConnection = config::kPriorities;

}  // namespace

void Cluster::on_group_message(uint32_t message) noexcept {
  if (message < config::kPriorities) {
    slots_.on_grant(static_cast<config::Priority>(message));
    return;
  }
  for (const auto& endpoint : endpoints_) {
    if (endpoint->give_up_connection()) {
      return;
    }
  }
}

Cluster::Pending Cluster::begin_pending() noexcept {
  const config::UpstreamLimits& limits = config_.limits;
  const uint32_t max = limits.mode == config::Mode::kOff ? 0 : limits.pending_max;
  const bool fits = limits_->pending.take(max);
  if (!fits) {
    if (limits.mode == config::Mode::kEnforce) {
      stats().overflow_pending.add();
      return Pending::kNo;
    }
    stats().shadow_overflows.add();
    limits_->pending.take_anyway();
  }
  stats().pending.add();
  return fits ? Pending::kYes : Pending::kOver;
}

void Cluster::end_pending() noexcept {
  limits_->pending.give_back();
  stats().pending.subtract();
}

void Cluster::ask_for_connection(const Endpoint& endpoint) noexcept {
  for (const auto& other : endpoints_) {
    if (other.get() != &endpoint && other->give_up_connection()) {
      return;
    }
  }
  limits_->shards_of_upstream.post_to_others(shared_.shard, kGiveUpConnection);
}

void Cluster::connection_ended() noexcept {
  if (short_endpoints_ == 0) {
    return;
  }
  for (const auto& endpoint : endpoints_) {
    endpoint->look_again();
  }
}

Duration Cluster::hedge_delay() noexcept {
  const config::Hedging& hedging = config_.hedging;
  if (!hedging.enabled || hedging.mode == config::Mode::kOff || endpoints_.size() < 2) {
    return Duration::zero();
  }
  hedge_budget_.add_request(hedging.percent_max);
  return hedging.after.percentile == 0
             ? hedging.after.fixed
             : latencies_->quantile(hedging.after.percentile, shared_.loop.now());
}

bool Cluster::begin_hedge() noexcept {
  if (!hedge_budget_.take()) {
    stats().hedge_overflows.add();
    return false;
  }
  return true;
}

}  // namespace hangu::upstream
