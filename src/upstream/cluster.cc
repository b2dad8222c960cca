#include "hangu/upstream/cluster.h"

#include <algorithm>
#include <utility>

#include "hangu/base/log.h"
#include "hangu/filter/stream.h"
#include "hangu/policy/choice.h"

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
  const bool hash = config.balancing.policy == config::BalancingPolicy::kHash;
  key_.reset();
  if (hash) {
    key_.emplace(config.balancing.key, filter::RequestKey::Prefixes{}, 0);  // alike on all nodes
  }
  make_table();
}

void Cluster::make_table() {
  std::vector<std::string_view> names;
  for (const auto& endpoint : endpoints_) {
    names.push_back(endpoint->address_text());
  }
  table_ = key_ ? policy::Maglev(names) : policy::Maglev();
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
      endpoints_.push_back(std::make_unique<Endpoint>(*this, wanted));
    }
  }
  for (auto& gone : old) {
    if (gone != nullptr) {
      gone->retire();
      retired_.push_back(std::move(gone));
    }
  }
  bury_retired();
  make_table();
}

void Cluster::bury_retired() noexcept {
  std::erase_if(retired_, [](const auto& endpoint) { return endpoint->buriable(); });
}

// --- the choice -------------------------------------------------------------------------------

Endpoint* Cluster::pick(const Endpoint* previous, filter::Stream& stream) noexcept {
  const size_t count = endpoints_.size();
  if (count <= 1) {
    return count == 0 ? nullptr : endpoints_.front().get();
  }
  const bool ejecting = ejects();
  const int64_t now = now_ns();
  const auto other = [&](size_t at) { return endpoints_[at].get() != previous; };
  const auto usable = [&](size_t at) {
    return other(at) && (!ejecting || endpoints_[at]->health().usable(now));
  };
  std::optional<size_t> picked = choose(stream, usable);
  if (!picked || !usable(*picked)) {
    picked = policy::next_usable(count, turn_.next(count), other);
  }
  return endpoints_[*picked].get();
}

template <class Usable>
std::optional<size_t> Cluster::choose(filter::Stream& stream, Usable usable) noexcept {
  using config::BalancingPolicy;
  const size_t count = endpoints_.size();
  switch (config_.balancing.policy) {
    case BalancingPolicy::kLeastRequests:
      return policy::better_of_two(count, stream.shard().random(), usable,
                                   [&](size_t at) { return endpoints_[at]->active(); });
    case BalancingPolicy::kPeakEwma: {
      const int64_t now = now_ns();
      return policy::better_of_two(count, stream.shard().random(), usable, [&](size_t at) {
        return endpoints_[at]->latency().cost(endpoints_[at]->active(), now);
      });
    }
    case BalancingPolicy::kHash:
      if (const filter::RequestKey::Hashed key = key_->of(stream); key.whole) {
        return table_.at(key.hash, usable);
      }
      break;
    case BalancingPolicy::kRoundRobin: break;
  }
  return policy::next_usable(count, turn_.next(count), usable);
}

// --- health -----------------------------------------------------------------------------------

bool Cluster::ejects() const noexcept {
  return config_.ejection.enabled && config_.ejection.mode == config::Mode::kEnforce;
}

void Cluster::succeeded(Endpoint& endpoint, Duration latency) noexcept {
  endpoint.health().succeeded();
  if (config_.balancing.policy == config::BalancingPolicy::kPeakEwma) {
    endpoint.latency().observe(static_cast<double>(latency.count()), now_ns());
  }
}

/// Whether one more may go.
bool Cluster::may_eject(int64_t now_ns) const noexcept {
  const size_t count = endpoints_.size();
  const auto ejected =
      static_cast<size_t>(std::count_if(endpoints_.begin(), endpoints_.end(), [&](const auto& one) {
        return !one->health().usable(now_ns);
      }));
  const size_t most = std::max<size_t>(count * config_.ejection.percent_max / 100, 1);
  return ejected < most && ejected + 1 < count;
}

void Cluster::failed(Endpoint& endpoint, uint64_t random) noexcept {
  const config::Ejection& options = config_.ejection;
  if (!options.enabled || options.mode == config::Mode::kOff ||
      !endpoint.health().failed(options.failures) || !may_eject(now_ns())) {
    return;
  }
  if (options.mode == config::Mode::kShadow) {
    endpoint.health().succeeded();  // counts anew
    stats().shadow_ejections.add();
    log::warning("event=endpoint_ejected_shadow upstream={} endpoint={}", config_.name,
                 endpoint.address_text());
    return;
  }
  constexpr double kMost = 18446744073709551616.0;  // 2^64
  const int64_t length =
      endpoint.health().eject(options, static_cast<double>(random) / kMost, now_ns());
  if (length != 0) {
    stats().ejections.add();
    log::warning("event=endpoint_ejected upstream={} endpoint={} for_ms={}", config_.name,
                 endpoint.address_text(), length / 1'000'000);
  }
}

bool Cluster::begin_retry() noexcept {
  const config::RetryPolicy& options = config_.retry;
  const uint64_t share = stats().active.value() * options.budget_percent / 100;
  if (retrying_ >= std::max<uint64_t>(share, options.budget_min)) {
    stats().retry_overflows.add();
    return false;
  }
  ++retrying_;
  return true;
}

// --- the circuit breaker ----------------------------------------------------------------------

policy::CircuitBreaker::Admission Cluster::admit() noexcept {
  const config::CircuitBreaker& options = config_.circuit_breaker;
  if (!options.enabled || options.mode == config::Mode::kOff) {
    return {.ticket = policy::CircuitBreaker::Ticket::kCounted};
  }
  std::optional<policy::CircuitBreaker::Change> change;
  const auto admission = breaker_->admit(now_ns(), change);
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
  if (const auto change = breaker_->report(options, shared_.shard, ticket, outcome, now_ns())) {
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
