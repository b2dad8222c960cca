// Gateway: the data plane as a whole: shard threads with their loops, the listeners, the published
// snapshot. Owned by the process's control thread, which alone calls it; what happens on the shards
// comes back through `Callbacks`, called on a shard's thread: post them to the control thread. It
// reads no file, resolves no name and knows no signal: that is control/'s work.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "hangu/base/result.h"
#include "hangu/config/config.h"
#include "hangu/identity/issuer.h"
#include "hangu/identity/logout_entry.h"
#include "hangu/plugin/status.h"
#include "hangu/policy/adaptive_limit.h"
#include "hangu/policy/endpoint_health.h"
#include "hangu/policy/priority_levels.h"
#include "hangu/policy/release_share.h"
#include "hangu/server/handover.h"
#include "hangu/server/logout_status.h"
#include "hangu/tls/client_context.h"
#include "hangu/tls/server_context.h"

namespace hangu::stats {
class Registry;
}

namespace hangu::audit {
class AuditLog;
}

namespace hangu::server {

/// One address of an upstream, numeric: "192.0.2.1:80", "[2001:db8::1]:80" or "unix:/run/app.sock".
/// `host` is the configured name, for the Host header of routes with `preserve_host: false`.
struct ResolvedEndpoint {
  std::string address;
  std::string host;
  uint32_t weight = 1;
  uint32_t priority = 0;
  bool operator==(const ResolvedEndpoint&) const = default;
};

struct ListenerStatus {
  std::string name;
  std::string address;  // as bound: the real port where 0 was asked
};

struct CertificateStatus {
  std::string listener;
  tls::CertificateInfo info;
};

struct CircuitStatus {
  std::string_view state;  // empty: no circuit breaker
  std::string_view cause;  // why it opened
  uint32_t probes_succeeded = 0;
  Duration next_probe{};  // from now
};

/// What the node knows of an endpoint, shared with the shards.
struct EndpointHandle {
  ResolvedEndpoint endpoint;
  std::shared_ptr<policy::EndpointHealth> health;
};

struct AdaptiveConcurrencyStatus {
  bool enabled = false;
  policy::AdaptiveLimit::Status limit;
};

/// One measure of `overload`.
struct LoadStatus {
  uint64_t value = 0;
  uint64_t most = 0;
  std::string_view step;
};

struct OverloadStatus {
  bool enabled = false;
  bool shadow = false;
  LoadStatus memory;       // bytes
  LoadStatus descriptors;  // open ones
};

struct EndpointStatus {
  std::string address;
  std::string host;
  uint32_t weight = 1;
  uint32_t priority = 0;
  std::string_view order = "ready";    // an operator's: "ready", "drain", "maint"
  std::string_view check = "unknown";  // what the health checks say: "good", "bad"
  Duration ejected_for{};              // from now; 0: it is not
};

/// What is under way against a limit of the node.
struct LimitStatus {
  std::string_view resource;  // "requests", "pending" or "connections"
  uint32_t used = 0;
  uint32_t max = 0;
};

/// What `admission` turned away, since the upstream came to the config.
struct AdmissionStatus {
  bool enabled = false;
  bool shadow = false;
  uint64_t rejected = 0;
  uint64_t shadow_rejected = 0;
};

struct UpstreamStatus {
  std::string name;
  std::vector<EndpointStatus> endpoints;
  CircuitStatus circuit;
  AdaptiveConcurrencyStatus adaptive;
  AdmissionStatus admission;
  std::vector<policy::PriorityLevel> levels;
  std::vector<LimitStatus> limits;  // those in force
  uint32_t queued = 0;              // requests that wait for one of the `requests`
};

/// Of routes that have one.
struct RouteCircuitStatus {
  std::string route;
  CircuitStatus circuit;
};

/// Limits count since they came to the config.
struct RateLimitStatus {
  std::string name;
  std::string_view mode;  // "enforce", "shadow" or "off"
  uint64_t allowed = 0;
  uint64_t rejected = 0;
  uint64_t shadow_rejected = 0;
  uint64_t without_store = 0;  // decisions that a store should have made
};

struct ConcurrencyLimitStatus {
  std::string name;
  std::string_view mode;
  uint32_t max = 0;     // for each key
  uint64_t active = 0;  // requests under way, of all keys
  uint64_t allowed = 0;
  uint64_t rejected = 0;
  uint64_t shadow_rejected = 0;
};

struct BandwidthLimitStatus {
  std::string name;
  std::string_view mode;
  uint64_t request_bytes = 0;  // that passed
  uint64_t response_bytes = 0;
  uint64_t pauses = 0;  // times that a stream had to wait
  uint64_t shadow_pauses = 0;
};

/// An authorization service, since it came to the config.
struct ForwardAuthStatus {
  std::string name;
  std::string_view mode;
  uint64_t active = 0;  // requests that wait for its answer
  uint64_t allowed = 0;
  uint64_t refused = 0;
  uint64_t shadow_refused = 0;
  uint64_t cached = 0;  // of these
  uint64_t errors = 0;
};

struct StoreStatus {
  std::string name;
  std::string address;
  bool up = false;
  std::string reason;  // why it is not
  uint64_t connects = 0;
  uint64_t asked = 0;
  uint64_t late = 0;
};

struct ShardStatus {
  uint32_t id = 0;
  int cpu = -1;  // -1: not pinned
  uint64_t generation = 0;
  uint64_t connections = 0;
  uint64_t requests_active = 0;
  uint64_t requests_total = 0;
  Duration delay{};           // with `overload`: how long what arrives waits for its turn
  uint64_t accept_queue = 0;  // connections that wait to be accepted, and how many may
  uint64_t accept_queue_max = 0;
  std::string_view overload_step;  // that it has come to
};

struct AuditStatus {
  std::string path;  // empty: there is no audit log
  uint64_t records = 0;
  uint64_t dropped = 0;
  uint64_t write_errors = 0;
  uint64_t spilled_bytes = 0;  // that wait for the file
  bool failing = false;
  std::string syslog;  // the server; empty: none
  bool syslog_connected = false;
  uint64_t syslog_sent = 0;
  uint64_t syslog_dropped = 0;
};

struct GatewayStatus {
  std::string event_loop;  // "io_uring" or "epoll"
  uint64_t generation = 0;
  bool draining = false;
  std::vector<ListenerStatus> listeners;
  std::vector<CertificateStatus> certificates;
  std::vector<UpstreamStatus> upstreams;
  std::vector<RateLimitStatus> rate_limits;
  std::vector<ConcurrencyLimitStatus> concurrency_limits;
  std::vector<BandwidthLimitStatus> bandwidth_limits;
  std::vector<ForwardAuthStatus> forward_auths;
  std::vector<StoreStatus> stores;
  std::vector<RouteCircuitStatus> route_circuits;
  std::vector<ShardStatus> shards;
  AuditStatus audit;
  std::vector<plugin::PluginStatus> plugins;
  OverloadStatus overload;
  LogoutStatus logouts;
};

enum class PluginChange : uint8_t {
  kSwap,      // an operator wants what the file holds
  kNewFile,   // the file has changed
  kRollback,  // an operator wants the version before
};

/// Digests of the versions; alike: there was no other.
struct PluginSwap {
  std::string before;
  std::string after;
};

struct ReloadReport {
  uint64_t generation = 0;
  uint64_t connections_closed = 0;  // by the reload itself: 0 unless a listener was removed
  uint64_t streams_on_old_generation = 0;
  Duration compile_time{};  // of the snapshot, off the shards
  std::vector<std::string> listeners_added;
  std::vector<std::string> listeners_removed;
  std::vector<std::string> restart_required;  // changed keys that need a restart, such as "workers"
};

/// What a shard or a thread of the gateway tells; any may be empty. Called there, must not block.
struct Callbacks {
  /// A request has met a token whose key is not known; answer by set_keys().
  std::function<void(const std::string& authenticator)> on_keys_wanted;
  std::function<void()> on_drained;  // after begin_drain(): the last stream of all shards has ended
  /// Providers have ended sessions, here or at another process of this node.
  std::function<void(std::vector<identity::LogoutEntry>)> on_sessions_ended;
};

/// How the gateway takes leave of its connections.
struct LeavePlan {
  Duration within{};     // after which the process closes what is left
  Duration ws_spread{};  // the last part of it, over which WebSockets are closed
  bool to_successor = false;
  int idle_socket = -1;  // over which idle connections pass to it; the gateway's
};

class Gateway {
 public:
  /// Binds every listener, starts the shards and waits until all of them serve. The error names the
  /// address that cannot be bound (exit code 5) or the resource that is missing.
  static Result<std::unique_ptr<Gateway>, std::string> start(
      std::shared_ptr<const config::Config> config, Callbacks callbacks, Inheritance inherited);

  virtual ~Gateway() = default;  // stops and joins the shards; open connections are closed

  /// Publishes a new config: binds added listeners first (on failure nothing changes), swaps the
  /// snapshot on every shard, then stops removed listeners. No established connection is closed.
  virtual Result<ReloadReport, std::string> apply(std::shared_ptr<const config::Config> config) = 0;

  /// Replaces the resolved addresses of one upstream (by name). An empty list keeps the last ones.
  /// Upstreams whose endpoints are all numeric need no call.
  virtual void set_endpoints(std::string_view upstream,
                             std::vector<ResolvedEndpoint> endpoints) = 0;

  /// The endpoints of an upstream (by name) as they are known; none when there is no such upstream.
  virtual std::vector<EndpointHandle> endpoints(std::string_view upstream) const = 0;

  /// The share of a route's release, which the shards read; nullptr: the route has none. Another
  /// one once the config has another release for the route.
  virtual std::shared_ptr<policy::ReleaseShare> release_share(std::string_view /*route*/) const {
    return nullptr;
  }

  /// How an upstream is spoken to over TLS; nullptr: without.
  virtual std::shared_ptr<const tls::ClientContext> client_tls(std::string_view upstream) const = 0;

  /// Stops accepting, answers `Connection: close`, closes idle connections; `on_drained` follows.
  /// With a successor idle connections pass to it, or wait for their next request.
  virtual void begin_drain(const LeavePlan& plan) = 0;

  // To a successor, in this order; see control/upgrader.h.
  /// The sockets to be handed over; they stay the gateway's.
  virtual std::vector<HandedSocket> sockets() const { return {}; }

  /// What the successor needs so that clients notice nothing: text, not to be kept anywhere.
  virtual std::string secrets() const { return {}; }

  /// Ends what only one process may write, in the right state: the counts of quotas and, if it
  /// wants that file (`audit_path`), the audit log, which records it and keeps later records in
  /// memory. On failure nothing has changed.
  virtual Result<void, std::string> hand_over(const std::string& /*audit_path*/,
                                              std::string_view /*detail*/) {
    return {};
  }

  /// The successor did not make it.
  virtual void take_back() {}

  /// Whether another process sends records of its own by way of this one.
  virtual bool relays_for_others() const { return false; }

  /// It did: later records of the audit log go to it over `socket`, which is the gateway's then.
  virtual void relay_audit(int socket) = 0;

  // As a successor, `held` until then.
  /// Opens what hand_over() ended, and accepts. `audit_relay`: from the predecessor; -1: none.
  virtual Result<void, std::string> take_over(int /*audit_relay*/) { return {}; }

  /// An idle connection of the predecessor's; the descriptor is the gateway's.
  virtual void adopt(int fd, std::string_view told) = 0;

  /// The keys of a token issuer, none if they are too old, and its metadata; requests that wait for
  /// them go on. `changed`: false when all is as it was.
  virtual void set_keys(const std::string& authenticator, bool changed,
                        identity::Issuer issuer) = 0;

  /// What all nodes of a fleet have in common, of which keys of session tickets and of login
  /// sessions are derived: the first one seals, all of them open. None: the process has its own. No
  /// connection notices.
  virtual void set_shared_secrets(std::vector<std::string> /*secrets*/) {}

  /// Ends the sessions that other nodes were told of.
  virtual void end_sessions(const std::vector<identity::LogoutEntry>& /*entries*/) {}

  /// Whether providers can end sessions; what they have ended and still counts.
  virtual bool ends_sessions() const { return false; }

  virtual std::vector<identity::LogoutEntry> ended_sessions() const { return {}; }

  virtual void reopen_logs() = 0;
  /// Reads certificates and keys whose files have changed, rotates ticket keys where that is due.
  virtual void refresh_tls() = 0;
  /// Looks at memory and descriptors for `overload`; returns when to look again.
  virtual Duration sample_load() = 0;

  /// Swaps a plugin for another version; no stream notices but by what the new one does. On failure
  /// the one in force stays.
  virtual Result<PluginSwap, std::string> change_plugin(std::string_view /*name*/,
                                                        PluginChange /*change*/) {
    return Failure<std::string>{"there are no plugins"};
  }

  /// Those that want to be swapped because their files have changed.
  virtual std::vector<std::string> changed_plugins() { return {}; }

  virtual GatewayStatus status() const = 0;

  /// Those that clients are shown; a part of status().
  virtual std::vector<CertificateStatus> certificates() const { return {}; }

  virtual stats::Registry& registry() = 0;

  /// For what the control thread has to record; nullptr: there is none.
  virtual audit::AuditLog* audit_log() { return nullptr; }

  virtual std::shared_ptr<const config::Config> config() const = 0;
};

/// How requests are spread over the priorities of these endpoints.
std::vector<policy::PriorityLevel> levels_of(const config::Upstream& upstream,
                                             const std::vector<EndpointHandle>& endpoints,
                                             int64_t now_ns);

}  // namespace hangu::server
