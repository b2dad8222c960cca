// Cluster: one upstream on one shard: its endpoints and the choice among them. Lives as long as the
// shard, across config generations; `update` brings it to a new config or to new DNS answers
// without touching connections to addresses that stay.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "hangu/config/config.h"
#include "hangu/filter/request_key.h"
#include "hangu/policy/circuit_breaker.h"
#include "hangu/policy/maglev.h"
#include "hangu/policy/round_robin.h"
#include "hangu/stats/upstream_stats.h"
#include "hangu/tls/client_context.h"
#include "hangu/upstream/endpoint.h"

namespace hangu::upstream {

class Cluster {
 public:
  Cluster(Shared& shared, std::shared_ptr<stats::UpstreamStats> stats,
          std::shared_ptr<policy::CircuitBreaker> breaker);
  ~Cluster();

  Cluster(const Cluster&) = delete;
  Cluster& operator=(const Cluster&) = delete;

  /// Takes a new config; connections keep running.
  void configure(const config::Upstream& config,
                 std::shared_ptr<const tls::ClientContext> tls = nullptr);
  /// Replaces the endpoints; those whose address stays keep their connections.
  void set_endpoints(std::span<const EndpointAddress> endpoints);

  /// An endpoint for a request, by the policy configured: none that is ejected, nor `previous`,
  /// while there is another. nullptr without endpoints.
  Endpoint* pick(const Endpoint* previous, filter::Stream& stream) noexcept;

  // What became of a request there.
  void succeeded(Endpoint& endpoint, Duration latency) noexcept;
  /// `random`: for the jitter of an ejection.
  void failed(Endpoint& endpoint, uint64_t random) noexcept;

  const config::Upstream& config() const { return config_; }

  /// nullptr: without TLS.
  const std::shared_ptr<const tls::ClientContext>& tls() const { return tls_; }

  Shared& shared() { return shared_; }

  /// Whether one more request may be tried again; then end_retry() when that is over.
  bool begin_retry() noexcept;

  void end_retry() noexcept { --retrying_; }

  // The circuit breaker, as configured.
  /// Ticket::kNone: the request must not go there.
  policy::CircuitBreaker::Admission admit() noexcept;
  /// Once for each ticket.
  void report(policy::CircuitBreaker::Ticket ticket,
              policy::CircuitBreaker::Outcome outcome) noexcept;

  stats::UpstreamStats::Slot& stats() { return stats_->slot(shared_.shard); }

  size_t endpoint_count() const { return endpoints_.size(); }

  /// Closes every idle connection.
  void close_idle() noexcept;
  /// Brings the gauge of open connections up to date.
  void publish_connections() noexcept;

 private:
  template <class Usable>
  std::optional<size_t> choose(filter::Stream& stream, Usable usable) noexcept;
  bool ejects() const noexcept;
  bool may_eject(int64_t now_ns) const noexcept;

  int64_t now_ns() const noexcept { return shared_.loop.now().time_since_epoch().count(); }

  void make_table();
  void bury_retired() noexcept;
  void tell(const policy::CircuitBreaker::Change& change) noexcept;

  Shared& shared_;
  std::shared_ptr<stats::UpstreamStats> stats_;
  std::shared_ptr<policy::CircuitBreaker> breaker_;
  config::Upstream config_;
  std::shared_ptr<const tls::ClientContext> tls_;
  std::vector<std::unique_ptr<Endpoint>> endpoints_;
  std::vector<std::unique_ptr<Endpoint>> retired_;
  policy::RoundRobin turn_;
  uint32_t retrying_ = 0;
  std::optional<filter::RequestKey> key_;  // with BalancingPolicy::kHash
  policy::Maglev table_;                   // the same
};

}  // namespace hangu::upstream
