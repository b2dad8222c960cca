// Cluster: one upstream on one shard: its endpoints, and what becomes of requests there. Lives as
// long as the shard, across config generations; `update` brings it to a new config or to new DNS
// answers without touching connections to addresses that stay.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "hangu/config/config.h"
#include "hangu/event/mailbox_group.h"
#include "hangu/policy/adaptive_limit.h"
#include "hangu/policy/admission_control.h"
#include "hangu/policy/circuit_breaker.h"
#include "hangu/policy/hedge_budget.h"
#include "hangu/policy/latency_window.h"
#include "hangu/policy/retry.h"
#include "hangu/stats/upstream_stats.h"
#include "hangu/tls/client_context.h"
#include "hangu/upstream/balancer.h"
#include "hangu/upstream/endpoint.h"
#include "hangu/upstream/node_limits.h"
#include "hangu/upstream/slot_queue.h"

namespace hangu::upstream {

class Cluster final : private event::GroupMember {
 public:
  Cluster(Shared& shared, std::shared_ptr<stats::UpstreamStats> stats,
          std::shared_ptr<policy::CircuitBreaker> breaker,
          std::shared_ptr<const policy::PoolVersion> version, std::shared_ptr<NodeLimits> limits);
  ~Cluster();

  Cluster(const Cluster&) = delete;
  Cluster& operator=(const Cluster&) = delete;

  /// Takes a new config; connections keep running.
  void configure(const config::Upstream& config,
                 std::shared_ptr<const tls::ClientContext> tls = nullptr);

  /// Once there is one it stays, in force or not.
  void set_adaptive_limit(std::shared_ptr<policy::AdaptiveLimit> limit) {
    adaptive_ = std::move(limit);
  }

  /// Replaces the endpoints; those whose address stays keep their connections.
  void set_endpoints(std::span<const EndpointAddress> endpoints);

  /// Endpoints that a request has been to, the latest last. They may be gone.
  using Tried = Balancer::Tried;

  /// An endpoint for a request, see Balancer. nullptr: nobody may be asked.
  Endpoint* pick(Tried tried, filter::Stream& stream) noexcept {
    return balancer_.pick(tried, stream, now_ns());
  }

  // What became of a request there. `random`: for the jitter of an ejection.
  struct Answer {
    int status = 0;
    bool upgrade = false;  // was asked for
    Duration latency{};
  };

  void answered(Endpoint& endpoint, const Answer& answer, uint64_t random) noexcept;

  /// It did not answer, and that was not the client's doing.
  void failed(Endpoint& endpoint, uint64_t random) noexcept {
    failed(endpoint, policy::EndpointHealth::Failure::kGateway, random);
  }

  /// Has the client come back to where it was answered, if that is configured.
  void lead_back(filter::Stream& stream, const Endpoint& endpoint) const noexcept {
    balancer_.lead_back(stream, endpoint);
  }

  const config::Upstream& config() const { return config_; }

  /// nullptr: without TLS.
  const std::shared_ptr<const tls::ClientContext>& tls() const { return tls_; }

  Shared& shared() { return shared_; }

  const policy::RetryReasons& retry_reasons() const { return retry_reasons_; }

  /// Whether one more request may be tried again; then end_retry() when that is over.
  bool begin_retry() noexcept;

  void end_retry() noexcept { --retrying_; }

  // Admission, as configured.
  bool controls_admission() const {
    return config_.admission.enabled && config_.admission.mode != config::Mode::kOff;
  }

  /// False: the request should not go there. `random`: all 64 bits.
  bool admits_by_success(uint64_t random) noexcept;

  /// What became of one that went.
  void report_success(bool success) noexcept {
    admission_.report(success, config_.admission, now_ns());
  }

  // The adaptive limit of concurrency, as configured.
  using Admission = policy::AdaptiveLimit::Admission;

  bool limits_concurrency() const {
    return adaptive_ != nullptr && config_.adaptive_concurrency.enabled &&
           config_.adaptive_concurrency.mode != config::Mode::kOff;
  }

  /// Whether one more request may go there, if limits_concurrency(); then leave() once.
  Admission enter(config::Priority priority) noexcept;
  /// `latency`: until the answer began; none: there was none, or it says nothing.
  void leave(Admission admission, std::optional<Duration> latency) noexcept;

  // The circuit breaker, as configured.
  /// Ticket::kNone: the request must not go there.
  policy::CircuitBreaker::Admission admit() noexcept;
  /// Once for each ticket.
  void report(policy::CircuitBreaker::Ticket ticket,
              policy::CircuitBreaker::Outcome outcome) noexcept;

  // Limits of the whole node.
  bool limits_requests() const {
    return config_.limits.requests_max != 0 && config_.limits.mode != config::Mode::kOff;
  }

  SlotQueue& slots() { return slots_; }

  /// A request begins to wait for a connection; kNo: too many do. kOver: they do, but that is not
  /// in force.
  enum class Pending : uint8_t { kNo, kYes, kOver };
  Pending begin_pending() noexcept;
  void end_pending() noexcept;

  policy::ConnectionBudget& connections() { return limits_->connections; }

  /// `endpoint` has no connection and may not make one: somebody else has to give one up.
  void ask_for_connection(const Endpoint& endpoint) noexcept;

  /// An endpoint has begun or ended to wait for connections that it may not make yet.
  void note_short(bool is_short) noexcept { short_endpoints_ += is_short ? 1 : -1; }

  /// A connection has ended: those that wait for that may make one.
  void connection_ended() noexcept;

  // Second tries while the first is under way.
  /// How long the first has; 0: there is none.
  Duration hedge_delay() noexcept;
  bool begin_hedge() noexcept;

  /// Of a try that was given up for another: it took so long at least.
  void note_latency(Duration latency) noexcept {
    if (latencies_ != nullptr) {
      latencies_->record(latency, shared_.loop.now());
    }
  }

  stats::UpstreamStats::Slot& stats() { return stats_->slot(shared_.shard); }

  size_t endpoint_count() const { return endpoints_.size(); }

  /// Closes every idle connection.
  void close_idle() noexcept;
  /// Brings the gauge of open connections up to date.
  void publish_connections() noexcept;

 private:
  void on_group_message(uint32_t message) noexcept override;
  bool keeps_tally() const noexcept;
  policy::InService in_service() const noexcept;
  void failed(Endpoint& endpoint, policy::EndpointHealth::Failure kind, uint64_t random) noexcept;

  int64_t now_ns() const noexcept { return shared_.loop.now().time_since_epoch().count(); }

  std::vector<size_t> own_part(std::span<const EndpointAddress> endpoints) const;
  void bury_retired() noexcept;
  void tell(const policy::CircuitBreaker::Change& change) noexcept;

  Shared& shared_;
  std::shared_ptr<stats::UpstreamStats> stats_;
  std::shared_ptr<policy::CircuitBreaker> breaker_;
  std::shared_ptr<NodeLimits> limits_;
  SlotQueue slots_;
  std::shared_ptr<policy::AdaptiveLimit> adaptive_;  // nullptr: the config never asked for one
  config::Upstream config_;
  std::shared_ptr<const tls::ClientContext> tls_;
  std::vector<std::unique_ptr<Endpoint>> endpoints_;
  std::vector<std::unique_ptr<Endpoint>> retired_;
  policy::AdmissionControl admission_;
  Balancer balancer_;
  policy::RetryReasons retry_reasons_;
  uint32_t retrying_ = 0;
  int32_t short_endpoints_ = 0;
  std::unique_ptr<policy::LatencyWindow> latencies_;  // with hedging
  policy::HedgeBudget hedge_budget_;
};

}  // namespace hangu::upstream
