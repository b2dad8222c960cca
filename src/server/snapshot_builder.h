// Compiles a Config into the Snapshot that shards run. Control thread only: it interns statistics
// and numbers upstreams; neither may happen per request.
#pragma once

#include <array>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "hangu/audit/audit_log.h"
#include "hangu/audit/log_writer.h"
#include "hangu/base/page_summaries.h"
#include "hangu/config/config.h"
#include "hangu/filter/rate_limit.h"
#include "hangu/filter/snapshot.h"
#include "hangu/plugin/store.h"
#include "hangu/policy/circuit_breaker.h"
#include "hangu/policy/release_share.h"
#include "hangu/server/tls_contexts.h"
#include "hangu/stats/registry.h"

#include "server/cluster_store.h"
#include "server/forward_auth_builder.h"
#include "server/identity_builder.h"
#include "server/limit_builder.h"
#include "server/logout_keeper.h"
#include "server/quota_saver.h"
#include "server/random.h"

namespace hangu::server {

/// Gives every upstream name a number that it keeps for the life of the process.
class ClusterNumbers {
 public:
  uint32_t number_of(const std::string& name) {
    return numbers_.try_emplace(name, static_cast<uint32_t>(numbers_.size())).first->second;
  }

 private:
  std::unordered_map<std::string, uint32_t> numbers_;
};

/// By name.
using ClusterStores = std::map<std::string, std::shared_ptr<ClusterStore>, std::less<>>;

/// The counts of a rate limit, and what they were made for.
struct RateLimitMemory {
  std::shared_ptr<filter::RateLimitCounts> counts;
  std::shared_ptr<const filter::RateLimit> limit;  // that counted last
};

/// What requests are recorded in; nullptr: they are not.
struct Logs {
  audit::LogWriter* access = nullptr;
  audit::AuditLog* audit = nullptr;
};

/// What the process has opened for a config; nullptr: nothing.
struct Opened {
  const ClusterStores* stores = nullptr;
  const plugin::Plan* plugins = nullptr;
};

class SnapshotBuilder {
 public:
  /// `fetcher`: of the keys of token issuers.
  SnapshotBuilder(stats::Registry& registry, QuotaSaver& quotas, LogoutKeeper& logouts,
                  filter::JwtKeys::Fetcher& fetcher, filter::PasswordChecker& passwords)
      : registry_(registry),
        quotas_(quotas),
        identity_(registry, logouts, fetcher, passwords),
        forward_auths_(registry),
        limits_(registry) {}

  /// Generations share what they have in common: the time this takes goes by what differs from the
  /// one built before. The logs must outlive the snapshot.
  std::shared_ptr<const filter::Snapshot> build(std::shared_ptr<const config::Config> config,
                                                const Logs& logs, const TlsContexts& tls,
                                                const Opened& opened);

  /// Of a process that could not read them before.
  void restore_quotas();

  /// Frees the generations that no shard uses any more: here, since the shards have better things
  /// to do.
  void release_unused();

  /// The circuit breakers of routes, by their names.
  using Breakers = std::map<std::string, std::shared_ptr<policy::CircuitBreaker>, std::less<>>;

  const Breakers& route_breakers() const { return breakers_; }

  /// The share of a route's release; nullptr: it has none.
  std::shared_ptr<policy::ReleaseShare> release_share(std::string_view route) const {
    const auto found = releases_.find(route);
    return found != releases_.end() ? found->second.share : nullptr;
  }

  /// See IdentityBuilder; from the next build() on.
  void use_session_secrets(std::vector<std::string> secrets) {
    identity_.use_session_secrets(std::move(secrets));
  }

  const IdentityBuilder& identity() const { return identity_; }

  uint32_t cluster_number(const std::string& upstream) { return clusters_.number_of(upstream); }

 private:
  using RateLimits = std::vector<std::shared_ptr<const filter::RateLimit>>;

  RateLimits build_rate_limits(const config::Config& config, const ClusterStores& stores);
  filter::RateLimit::Place place_of(const config::Config& config, const config::RateLimit& limit,
                                    const ClusterStores& stores) const;
  static void tell_stores(const RateLimits& limits, const config::Config& config,
                          const ClusterStores& stores);
  void build_routes(const config::Config& config, const RateLimits& limits,
                    const plugin::Plan& plugins, filter::Snapshot& snapshot);
  bool has_cors(const config::RouteList& routes);
  void add_swapped(const config::Config& config, const policy::RouteTable& table,
                   const plugin::Plan& plugins, std::vector<uint32_t>& slots) const;
  void note_removed(const policy::RouteTable::Change& change, const policy::RouteTable& table,
                    const SharedList<filter::RouteRuntime>& before);
  std::shared_ptr<const filter::RouteRuntime> build_route(
      const config::Config& config, const std::shared_ptr<const config::Route>& shared,
      const RateLimits& limits, const plugin::Plan& plugins);
  void add_admission(const config::Route& route, const RateLimits& limits,
                     filter::FilterChain& chain);
  void add_action(const config::Config& config, const config::Route& route,
                  filter::FilterChain& chain);
  static void add_plugins(const config::Config& config, const config::Route& route,
                          const plugin::Plan& plugins, filter::FilterChain& chain);
  void add_client_filter(const config::Clients& clients, filter::FilterChain& chain);
  void add_split_filter(const config::Config& config, const config::Route& route,
                        filter::FilterChain& chain);
  std::shared_ptr<policy::ReleaseShare> release_of(const config::Config& config,
                                                   const config::Route& route);
  std::shared_ptr<const policy::CidrSet> listed(const config::NetworkFile& file);

  std::shared_ptr<filter::RateLimitCounts> make_counts(const config::RateLimit& limit);
  std::shared_ptr<policy::CircuitBreaker> breaker_of(const config::Route& route);

  stats::Registry& registry_;
  QuotaSaver& quotas_;
  IdentityBuilder identity_;
  ForwardAuthBuilder forward_auths_;
  ClusterNumbers clusters_;
  LimitBuilder limits_;
  PageSummaries<config::Route, bool> cors_pages_;
  Random random_;
  // Of all rate limits: what their keys begin with alike is then hashed once for all of a route.
  const uint64_t rate_seed_ = random_.next();
  // What has been counted, by the name of the limit: goes on over generations.
  std::unordered_map<std::string, RateLimitMemory> rate_limits_;
  // By the hash of the file: routes and generations share them.
  std::map<std::array<uint64_t, 2>, std::weak_ptr<const policy::CidrSet>> listed_;
  std::shared_ptr<const filter::Snapshot> current_;
  std::vector<std::shared_ptr<const filter::Snapshot>> retired_;  // shards may still use them
  plugin::Plan::Libraries libraries_;                             // of plugins, in the current one
  Breakers breakers_;  // of routes, by their names: the same

  struct ReleaseMemory {
    std::string identity;
    std::shared_ptr<policy::ReleaseShare> share;
  };

  std::map<std::string, ReleaseMemory, std::less<>> releases_;  // by route, likewise
};

}  // namespace hangu::server
