#include "hangu/upstream/cluster.h"

#include <algorithm>
#include <utility>

#include "hangu/base/log.h"

namespace hangu::upstream {

Cluster::Cluster(Shared& shared, std::shared_ptr<stats::UpstreamStats> stats,
                 std::shared_ptr<policy::CircuitBreaker> breaker)
    : shared_(shared),
      stats_(std::move(stats)),
      breaker_(std::move(breaker)) {}

Cluster::~Cluster() {
  // Endpoints report their last connections to us while they go: by then the lists must be empty.
  const auto endpoints = std::exchange(endpoints_, {});
  const auto retired = std::exchange(retired_, {});
}

void Cluster::configure(const config::Upstream& config,
                        std::shared_ptr<const tls::ClientContext> tls) {
  config_ = config;
  tls_ = std::move(tls);
}

void Cluster::set_endpoints(std::span<const EndpointAddress> endpoints) {
  std::vector<std::unique_ptr<Endpoint>> old = std::exchange(endpoints_, {});
  for (const EndpointAddress& wanted : endpoints) {
    const auto kept = std::find_if(old.begin(), old.end(), [&](const auto& endpoint) {
      return endpoint != nullptr && endpoint->address() == wanted.address &&
             endpoint->host() == wanted.host;
    });
    if (kept != old.end()) {
      endpoints_.push_back(std::move(*kept));
    } else {
      endpoints_.push_back(std::make_unique<Endpoint>(*this, wanted.address, wanted.host));
    }
  }
  for (auto& gone : old) {
    if (gone != nullptr) {
      gone->retire();
      retired_.push_back(std::move(gone));
    }
  }
  bury_retired();
}

void Cluster::bury_retired() noexcept {
  std::erase_if(retired_, [](const auto& endpoint) { return endpoint->buriable(); });
}

Endpoint* Cluster::pick(const Endpoint* previous) noexcept {
  if (endpoints_.empty()) {
    return nullptr;
  }
  Endpoint* picked = endpoints_[turn_.next(endpoints_.size())].get();
  if (picked == previous && endpoints_.size() > 1) {
    picked = endpoints_[turn_.next(endpoints_.size())].get();
  }
  return picked;
}

// --- the circuit breaker ----------------------------------------------------------------------

policy::CircuitBreaker::Admission Cluster::admit() noexcept {
  const config::CircuitBreaker& options = config_.circuit_breaker;
  if (!options.enabled || options.mode == config::Mode::kOff) {
    return {.ticket = policy::CircuitBreaker::Ticket::kCounted};
  }
  std::optional<policy::CircuitBreaker::Change> change;
  const auto admission = breaker_->admit(shared_.loop.now().time_since_epoch().count(), change);
  if (change) {
    tell(*change);
  }
  if (admission.ticket == policy::CircuitBreaker::Ticket::kNone) {
    const bool shadow = options.mode == config::Mode::kShadow;
    (shadow ? stats().circuit_shadow_rejected : stats().circuit_rejected).add();
  }
  return admission;
}

void Cluster::report(policy::CircuitBreaker::Ticket ticket,
                     policy::CircuitBreaker::Outcome outcome) noexcept {
  const config::CircuitBreaker& options = config_.circuit_breaker;
  if (!options.enabled || options.mode == config::Mode::kOff) {
    return;
  }
  const int64_t now_ns = shared_.loop.now().time_since_epoch().count();
  if (const auto change = breaker_->report(options, shared_.shard, ticket, outcome, now_ns)) {
    tell(*change);
  }
}

void Cluster::tell(const policy::CircuitBreaker::Change& change) noexcept {
  using State = policy::CircuitBreaker::State;
  stats_->circuit_state.set(static_cast<uint64_t>(change.state));
  switch (change.state) {
    case State::kClosed: log::info("event=circuit_closed upstream={}", config_.name); break;
    case State::kHalfOpen: log::info("event=circuit_half_open upstream={}", config_.name); break;
    case State::kOpen:
      stats().circuit_opened.add();
      log::warning("event=circuit_opened upstream={} cause={} requests={} failures={} for_ms={}",
                   config_.name, policy::to_string(change.cause), change.requests, change.failures,
                   change.open_ns / 1'000'000);
      break;
  }
}

void Cluster::close_idle() noexcept {
  for (const auto& endpoint : endpoints_) {
    endpoint->close_idle();
  }
}

void Cluster::publish_connections() noexcept {
  uint64_t open = 0;
  for (const auto& endpoint : endpoints_) {
    open += endpoint != nullptr ? endpoint->connections() : 0;
  }
  for (const auto& endpoint : retired_) {
    open += endpoint->connections();
  }
  stats().connections.set(open);
}

}  // namespace hangu::upstream
