// The part of an Endpoint that keeps to the node's limits on connections. Requests that find no
// connection and may not make one go on waiting at the endpoint; it looks again when one of its own
// connections is free, when one of this shard has ended, and every few milliseconds, since those of
// other shards end without a word.
#include "hangu/upstream/cluster.h"

namespace hangu::upstream {
namespace {

constexpr Duration kLookAgain = std::chrono::milliseconds(5);

}  // namespace

bool Endpoint::limits_connections() const noexcept {
  const config::UpstreamLimits& limits = cluster_config().limits;
  return (limits.connections_max != 0 || limits.endpoint_connections_max != 0) &&
         limits.mode == config::Mode::kEnforce;
}

bool Endpoint::over_connections() const noexcept {
  const config::UpstreamLimits& limits = cluster_config().limits;
  const auto full = [](const policy::ConnectionBudget& budget, uint32_t max) {
    return max != 0 && budget.taken() >= max;
  };
  const bool makes_one = !expects_http2() || making_ == 0;
  return limits.mode == config::Mode::kShadow && makes_one &&
         (full(*budget_, limits.endpoint_connections_max) ||
          full(cluster_.connections(), limits.connections_max));
}

/// Every connection counts, limited or not: limits may come with a reload.
bool Endpoint::take_connection() noexcept {
  const config::UpstreamLimits& limits = cluster_config().limits;
  if (!limits_connections()) {
    if (over_connections()) {
      cluster_.stats().shadow_overflows.add();
    }
    budget_->take_anyway();
    cluster_.connections().take_anyway();
    return true;
  }
  if (connections_ != 0 && others_starve()) {
    begin_shortage(*budget_);
    return false;
  }
  if (!budget_->take(limits.endpoint_connections_max)) {
    begin_shortage(*budget_);
    return false;
  }
  if (!cluster_.connections().take(limits.connections_max)) {
    budget_->give_back();
    begin_shortage(cluster_.connections());
    return false;
  }
  return true;
}

void Endpoint::give_back_connection() noexcept {
  budget_->give_back();
  cluster_.connections().give_back();
  cluster_.connection_ended();
}

/// Whether some other shard or endpoint has no connection at all and may not make one.
bool Endpoint::others_starve() const noexcept {
  return limits_connections() && shortage_.starving_for == nullptr &&
         (budget_->starving() || cluster_.connections().starving());
}

void Endpoint::set_starving(policy::ConnectionBudget* budget) noexcept {
  if (budget == shortage_.starving_for) {
    return;
  }
  if (shortage_.starving_for != nullptr) {
    shortage_.starving_for->end_starving();
  }
  if (budget != nullptr) {
    budget->starve();
  }
  shortage_.starving_for = budget;
}

void Endpoint::begin_shortage(policy::ConnectionBudget& budget) noexcept {
  shortage_.refused = true;
  if (!shortage_.active) {
    shortage_.active = true;
    cluster_.note_short(true);
    cluster_.stats().overflow_connections.add();
  }
  set_starving(connections_ == 0 ? &budget : nullptr);
  if (shortage_.starving_for != nullptr) {
    cluster_.ask_for_connection(*this);
  }
  shortage_.arm(shared().loop.timers(), kLookAgain);
}

void Endpoint::look_again() noexcept {
  if (shortage_.active && !shortage_.pending()) {
    shared().loop.defer(shortage_);
  }
}

/// If it is one: else it goes on.
void Endpoint::end_shortage() noexcept {
  if (!shortage_.active) {
    return;
  }
  while (!waiters_.empty()) {
    ClientStream* place = take_ready(true);
    if (place == nullptr) {
      break;
    }
    waiters_.pop_front()->on_connect(place, Error{.code = Errc::kNone});
  }
  shortage_.refused = false;
  make_for_waiters();
  if (!shortage_.refused) {
    shortage_.active = false;
    cluster_.note_short(false);
    set_starving(nullptr);
    shortage_.disarm();
  }
}

bool Endpoint::give_up_connection() noexcept {
  if (Connection* oldest = idle_.back()) {
    oldest->close();
    return true;
  }
  const uint32_t before = connections_;
  http2_.for_each(
      [](Connection& connection) { static_cast<Http2Connection&>(connection).close_if_idle(); });
  return connections_ != before;
}

}  // namespace hangu::upstream
