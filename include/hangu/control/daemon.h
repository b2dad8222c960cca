// Daemon: the process around the gateway: loads the config, starts the gateway, resolves names,
// obeys signals, reloads, drains and tells the service manager. Everything in it runs on the
// control thread, which runs its io_context. It serves no admin endpoint (admin/ does, through this
// class) and moves no byte of traffic.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hangu/audit/record.h"
#include "hangu/base/result.h"
#include "hangu/config/config.h"
#include "hangu/config/load.h"
#include "hangu/config/print.h"
#include "hangu/control/config_center.h"
#include "hangu/control/drain.h"
#include "hangu/control/endpoint_refresher.h"
#include "hangu/control/health_checker.h"
#include "hangu/control/key_fetcher.h"
#include "hangu/server/gateway.h"

namespace hangu::control {

struct ReloadOutcome {
  enum class Kind : uint8_t {
    kApplied,
    kInvalidConfig,  // see `diagnostics`
    kRefused,        // see `error`; the running config stays
  };

  Kind kind = Kind::kRefused;
  bool tried = false;                           // refused by the gateway, not for a bad moment
  std::string error;                            // one line; empty when applied
  std::vector<config::Diagnostic> diagnostics;  // warnings only, when applied
  std::vector<config::KeyChange> changes;
  server::ReloadReport report;
};

struct StartError {
  enum class Kind : uint8_t { kInvalidConfig, kBeforeGateway, kGateway };

  Kind kind = Kind::kGateway;
  std::string message;
  std::vector<config::Diagnostic> diagnostics;
};

struct Readiness {
  bool ready = false;
  std::string reason;  // "ready", or why not
};

struct LastReload {
  WallTime time;
  bool applied = false;
  uint64_t generation = 0;
  std::string error;
  std::vector<config::Diagnostic> diagnostics;
};

struct DaemonStatus {
  Readiness readiness;
  DrainState state = DrainState::kServing;
  Duration uptime{0};
  WallTime started;
  std::string config_path;
  server::GatewayStatus gateway;
  std::vector<NameStatus> names;
  std::vector<EndpointChecks> checks;
  std::vector<KeyStatus> keys;
  ConfigCenterStatus config_center;
  std::optional<LastReload> last_reload;
};

/// What an administrator did, or was not let do.
struct AdminEvent {
  audit::Event event = audit::Event::kAdminLogin;
  audit::Outcome outcome = audit::Outcome::kOk;
  std::string_view actor;
  std::string object;  // who or what it is about
  std::string_view reason;
  std::string detail;
};

using GatewayFactory = std::function<Result<std::unique_ptr<server::Gateway>, std::string>(
    std::shared_ptr<const config::Config>, server::Callbacks)>;

struct DaemonOptions {
  std::function<config::LoadResult()> load_config;  // at each reload on a thread of its own
  std::shared_ptr<ConfigSource> source;             // in its place: knows config centres
  GatewayFactory start_gateway;
  EndpointRefresher::ResolverFactory make_resolver;  // empty: c-ares with the system's settings
  bool handle_signals = true;
  Duration resolve_at_most = std::chrono::seconds(2);      // at the start and at each reload
  Duration reload_interval_min = std::chrono::seconds(1);  // between reloads by SIGHUP
};

/// Any may be empty. Called on the control thread.
struct DaemonCallbacks {
  /// With the config loaded and nothing bound yet; an error ends the start.
  std::function<Result<void, std::string>(const config::Config&)> before_gateway;
  std::function<void()> on_ready;
  std::function<void()> on_stopped;  // the gateway is gone; last call. Empty: stops the io_context
};

class Daemon {
 public:
  Daemon(boost::asio::io_context& context, DaemonOptions options, DaemonCallbacks callbacks = {});
  ~Daemon();

  /// Loads the config and starts the gateway: it serves when this returns. Readiness follows when
  /// the names are resolved, or after `resolve_at_most`.
  Result<void, StartError> start();

  /// Calls `done` once, perhaps before reload() returns. `actor`: who wants it, for the audit log.
  void reload(const std::function<void(ReloadOutcome)>& done, std::string_view actor = "process");

  void record_admin(const AdminEvent& event);

  /// Records that somebody reads the audit log; false: there is no room for that, so that nobody
  /// may.
  bool record_reading(audit::Event event, std::string_view actor, std::string_view detail);

  /// An operator's word on an endpoint, which lasts as long as the process knows the endpoint. The
  /// error says what there is no such of.
  Result<void, std::string> set_order(std::string_view upstream, std::string_view endpoint,
                                      policy::EndpointHealth::Order order, std::string_view actor);

  /// See Gateway::change_plugin(). `actor`: who wants it.
  Result<server::PluginSwap, std::string> change_plugin(std::string_view plugin,
                                                        server::PluginChange change,
                                                        std::string_view actor);

  void terminate();  // as SIGTERM
  void fast_stop();  // as SIGQUIT
  void reopen_logs();

  Readiness readiness() const;
  DaemonStatus status() const;
  std::shared_ptr<const config::Config> config() const;
  stats::Registry& registry();  // only between start() and on_stopped

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace hangu::control
