#include "hangu/upstream/cluster.h"

#include <algorithm>
#include <map>
#include <unordered_map>
#include <utility>

#include "hangu/base/log.h"
#include "hangu/filter/stream.h"
#include "hangu/policy/subset.h"
#include "hangu/upstream/circuit_log.h"

namespace hangu::upstream {

Cluster::Cluster(Shared& shared, std::shared_ptr<stats::UpstreamStats> stats,
                 std::shared_ptr<policy::CircuitBreaker> breaker,
                 std::shared_ptr<const policy::PoolVersion> version,
                 std::shared_ptr<NodeLimits> limits)
    : shared_(shared),
      stats_(std::move(stats)),
      breaker_(std::move(breaker)),
      limits_(std::move(limits)),
      slots_(*limits_, shared.loop, shared.shard, stats_->slot(shared.shard)),
      balancer_(std::move(version)) {
  limits_->shards_of_upstream.join(shared.shard, *this, shared.loop.mailbox());
}

Cluster::~Cluster() {
  limits_->shards_of_upstream.leave(shared_.shard);
  // Endpoints report their last connections to us while they go: by then the lists must be empty.
  const auto endpoints = std::exchange(endpoints_, {});
  const auto retired = std::exchange(retired_, {});
}

void Cluster::configure(const config::Upstream& config,
                        std::shared_ptr<const tls::ClientContext> tls) {
  config_ = config;
  retry_reasons_ = policy::RetryReasons(config.retry);
  tls_ = std::move(tls);
  balancer_.configure(config.balancing);
  slots_.configure(config.limits, config.queue);
  if (!config.hedging.enabled) {
    latencies_.reset();
  } else if (latencies_ == nullptr) {
    latencies_ = std::make_unique<policy::LatencyWindow>();
  }
}

void Cluster::set_endpoints(std::span<const EndpointAddress> endpoints) {
  std::vector<std::unique_ptr<Endpoint>> old = std::exchange(endpoints_, {});
  std::unordered_multimap<std::string, size_t> places;  // of the old ones
  for (size_t i = 0; i < old.size(); ++i) {
    places.emplace(old[i]->address().to_string(), i);
  }
  for (const size_t index : own_part(endpoints)) {
    const EndpointAddress& wanted = endpoints[index];
    const auto [begin, end] = places.equal_range(wanted.address.to_string());
    const auto kept = std::find_if(begin, end, [&](const auto& place) {
      return old[place.second] != nullptr && old[place.second]->host() == wanted.host;
    });
    if (kept != end) {
      std::unique_ptr<Endpoint>& endpoint = old[kept->second];
      endpoint->set_weight(wanted.weight, wanted.priority);
      endpoints_.push_back(std::move(endpoint));
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
  balancer_.set_endpoints(endpoints_);
  bury_retired();
}

/// Of a very large pool not all.
std::vector<size_t> Cluster::own_part(std::span<const EndpointAddress> endpoints) const {
  std::map<uint32_t, std::vector<size_t>> priorities;
  for (size_t i = 0; i < endpoints.size(); ++i) {
    priorities[endpoints[i].priority].push_back(i);
  }
  std::vector<size_t> own;
  for (const auto& [priority, members] : priorities) {
    std::vector<std::string> texts;
    for (const size_t member : members) {
      texts.push_back(endpoints[member].address.to_string());
    }
    const std::vector<std::string_view> names(texts.begin(), texts.end());
    for (const size_t chosen :
         policy::subset(names, config_.balancing.subset_size, shared_.node_seed, shared_.shard)) {
      own.push_back(members[chosen]);
    }
  }
  std::sort(own.begin(), own.end());
  return own;
}

void Cluster::bury_retired() noexcept {
  std::erase_if(retired_, [](const auto& endpoint) { return endpoint->buriable(); });
}

// --- health -----------------------------------------------------------------------------------

/// Whether somebody wants the statistics of an interval.
bool Cluster::keeps_tally() const noexcept {
  const config::Ejection& options = config_.ejection;
  return options.enabled && (options.success_rate.enabled || options.failure_percentage.enabled);
}

void Cluster::answered(Endpoint& endpoint, const Answer& answer, uint64_t random) noexcept {
  const std::vector<uint32_t>& statuses = config_.ejection.statuses;
  const bool failure = std::find(statuses.begin(), statuses.end(),
                                 static_cast<uint32_t>(answer.status)) != statuses.end();
  if (config_.balancing.policy == config::BalancingPolicy::kPeakEwma && !failure) {
    endpoint.latency().observe(static_cast<double>(answer.latency.count()), now_ns());
  }
  if (answer.upgrade && failure) {
    return;  // what an application says of a handshake is not about the server
  }
  if (failure) {
    const bool gateway = answer.status >= 502 && answer.status <= 504;
    failed(endpoint,
           gateway ? policy::EndpointHealth::Failure::kGateway
                   : policy::EndpointHealth::Failure::kApplication,
           random);
    return;
  }
  endpoint.health().succeeded();
  if (keeps_tally()) {
    endpoint.health().count(shared_.shard, false);
  }
  note_latency(answer.latency);
}

policy::InService Cluster::in_service() const noexcept {
  policy::InService all;
  for (const auto& endpoint : endpoints_) {
    all.add(endpoint->health(), now_ns());
  }
  return all;
}

void Cluster::failed(Endpoint& endpoint, policy::EndpointHealth::Failure kind,
                     uint64_t random) noexcept {
  const config::Ejection& options = config_.ejection;
  if (!options.enabled || options.mode == config::Mode::kOff) {
    return;
  }
  if (keeps_tally()) {
    endpoint.health().count(shared_.shard, true);
  }
  if (!endpoint.health().failed(options, kind) || !in_service().may_eject(options.percent_max)) {
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
      policy::eject_unless_last(endpoint.health(), options, static_cast<double>(random) / kMost,
                                now_ns(), [this] { return in_service(); });
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

// --- admission --------------------------------------------------------------------------------

bool Cluster::admits_by_success(uint64_t random) noexcept {
  if (admission_.admits(config_.admission, now_ns(), random)) {
    return true;
  }
  const bool shadow = config_.admission.mode == config::Mode::kShadow;
  (shadow ? stats().admission_shadow_rejected : stats().admission_rejected).add();
  return false;
}

// --- the adaptive limit -----------------------------------------------------------------------

namespace {

/// How much of the limit requests of a priority may use: the rest is kept for those above.
double share_of(config::Priority priority) {
  switch (priority) {
    case config::Priority::kLow: return 0.7;
    case config::Priority::kNormal: return 0.9;
    case config::Priority::kHigh: return 1.0;
  }
  return 1.0;
}

}  // namespace

Cluster::Admission Cluster::enter(config::Priority priority) noexcept {
  const config::AdaptiveConcurrency& options = config_.adaptive_concurrency;
  const bool shadow = options.mode == config::Mode::kShadow;
  const Admission admission =
      adaptive_->admit(shared_.shard, share_of(priority), shadow, options, now_ns());
  stats_->adaptive_limit.set(adaptive_->limit());
  if (admission == Admission::kNone) {
    stats().adaptive_rejected.add();
  } else if (admission == Admission::kOver) {
    stats().adaptive_shadow_rejected.add();
  }
  return admission;
}

void Cluster::leave(Admission admission, std::optional<Duration> latency) noexcept {
  adaptive_->leave(shared_.shard, admission,
                   latency ? std::optional(latency->count()) : std::nullopt,
                   config_.adaptive_concurrency, now_ns());
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
  log_change("upstream", config_.name, change);
  stats_->circuit_state.set(static_cast<uint64_t>(change.state));
  if (change.state == policy::CircuitBreaker::State::kOpen) {
    stats().circuit_opened.add();
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
