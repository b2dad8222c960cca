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
#include "hangu/control/config_editor.h"
#include "hangu/control/drain.h"
#include "hangu/control/endpoint_refresher.h"
#include "hangu/control/health_checker.h"
#include "hangu/control/key_fetcher.h"
#include "hangu/control/lineage.h"
#include "hangu/control/logout_sharing.h"
#include "hangu/control/predecessor.h"
#include "hangu/control/release_controller.h"
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

struct UpgradeOutcome {
  bool done = false;  // the new process serves; this one leaves
  std::string error;  // why not; everything is as it was
  int64_t pid = 0;    // of the new process
  std::string version;
  Duration took{};
};

/// One that failed: after one that did not, another process answers.
struct LastUpgrade {
  WallTime time;
  std::string error;
};

struct DaemonStatus {
  Readiness readiness;
  DrainState state = DrainState::kServing;
  Duration uptime{0};
  WallTime started;
  std::string config_path;
  server::GatewayStatus gateway;
  std::vector<NameStatus> names;
  std::vector<DiscoveryStatus> discoveries;
  std::vector<EndpointChecks> checks;
  std::vector<KeyStatus> keys;
  std::vector<ReleaseStatus> releases;
  std::vector<fleet::CertificateAlarm> certificate_alarms;  // of the fleet, or of this node alone
  std::optional<int64_t> first_certificate_end_s;           // Unix time; of this node's
  ConfigCenterStatus config_center;
  LogoutSharing logout_sharing;
  DocumentsStatus documents;
  std::optional<LastReload> last_reload;
  std::optional<LastUpgrade> last_upgrade;
  int64_t predecessor = 0;  // the process that this one has replaced, while it is there
};

/// What an administrator did, or was not let do.
struct AdminEvent {
  audit::Event event = audit::Event::kAdminLogin;
  audit::Outcome outcome = audit::Outcome::kOk;
  std::string_view actor;
  std::string object;  // who or what it is about
  std::string_view reason;
  std::string detail;
  std::string before = {};  // digests, of what has any
  std::string after = {};
};

using GatewayFactory = std::function<Result<std::unique_ptr<server::Gateway>, std::string>(
    std::shared_ptr<const config::Config>, server::Callbacks, server::Inheritance)>;

struct DaemonOptions {
  std::function<config::LoadResult()> load_config;  // at each reload on a thread of its own
  std::shared_ptr<ConfigSource> source;             // in its place: knows config centres
  GatewayFactory start_gateway;
  ResolverFactory make_resolver;       // empty: c-ares with the system's settings
  Lineage* lineage = nullptr;          // outlives the daemon; nullptr: it cannot be replaced
  Predecessor* predecessor = nullptr;  // likewise; nullptr: there is none
  Bequest bequest;                     // from it, or from the service manager
  bool handle_signals = true;
  Duration resolve_at_most = std::chrono::seconds(2);      // at the start and at each reload
  Duration reload_interval_min = std::chrono::seconds(1);  // between reloads by SIGHUP
};

/// Any may be empty. Called on the control thread.
struct DaemonCallbacks {
  /// With the config loaded and nothing bound yet; an error ends the start.
  std::function<Result<void, std::string>(const config::Config&)> before_gateway;
  std::function<void()> on_ready;
  /// For a successor, beside those of the gateway.
  std::function<std::vector<server::HandedSocket>()> admin_sockets;
  std::function<void()> on_leave;       // a successor serves: the admin endpoint is its
  std::function<void()> on_taken_over;  // this process does, in the place of its predecessor
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

  /// Starts `binary`, empty for that of this process as it is now, and leaves everything to it once
  /// it is ready; else nothing has changed. Calls `done` once.
  void upgrade(const std::string& binary, std::function<void(UpgradeOutcome)> done,
               std::string_view actor);

  /// Whether it ended because there was nothing for it to take over.
  bool failed() const;

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

  /// Between start() and on_stopped.
  ReleaseController& releases();

  void terminate();  // as SIGTERM
  void fast_stop();  // as SIGQUIT
  void reopen_logs();

  Readiness readiness() const;
  DaemonStatus status() const;
  std::shared_ptr<const config::Config> config() const;
  /// nullptr when the config comes from elsewhere than a ConfigSource, and when all is over.
  ConfigEditor* editor();
  /// nullptr when there is no gateway any more.
  stats::Registry* registry();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace hangu::control
