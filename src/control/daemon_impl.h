// What a Daemon is made of: everything that the control thread has in hand, and the order in which
// it comes and goes. Included by daemon.cc, whose functions pass through to it, and daemon_end.cc.
#pragma once

#include <algorithm>
#include <csignal>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include "hangu/base/log.h"
#include "hangu/base/signal_mask.h"
#include "hangu/config/generations.h"
#include "hangu/control/daemon.h"
#include "hangu/control/health_watch.h"
#include "hangu/control/key_fetcher.h"
#include "hangu/control/loader.h"
#include "hangu/control/process.h"
#include "hangu/control/service_notifier.h"

#include "control/audit_events.h"
#include "control/certificate_watch.h"
#include "control/config_report.h"
#include "control/descriptor_store.h"
#include "control/fleet_keys.h"
#include "control/fleet_logouts.h"
#include "control/key_news.h"
#include "control/neighbours.h"
#include "control/operator_orders.h"
#include "control/rounds.h"
#include "control/signal_watch.h"

namespace hangu::control {

namespace asio = boost::asio;
using boost::system::error_code;

class Daemon::Impl final : private Neighbours::Host {
 public:
  Impl(asio::io_context& context, DaemonOptions options, DaemonCallbacks callbacks)
      : context_(context),
        options_(std::move(options)),
        callbacks_(std::move(callbacks)),
        notifier_(ServiceNotifier::from_environment()),
        refresher_(
            context, resolver_factory(context, options_),
            [this](std::string_view upstream, std::vector<server::ResolvedEndpoint> found) {
              if (gateway_ != nullptr) {
                gateway_->set_endpoints(upstream, std::move(found));
                check_health();
              }
            },
            &loader_),
        checker_(context),
        key_fetcher_(context,
                     [this](const std::string& authenticator, KeyNews news) {
                       take_keys(gateway_.get(), authenticator, std::move(news));
                     }),
        releases_(context, [this] { return decides(); }),
        neighbours_(context, options_, *this),
        signals_(context, [this](int number) { on_signal(number); }),
        drain_timer_(context),
        relay_timer_(context),
        reload_timer_(context),
        watchdog_rounds_(context),
        tls_rounds_(context),
        health_rounds_(context),
        load_rounds_(context),
        loader_(context) {}

  ~Impl() {
    editor_.reset();
    center_.reset();  // posts to the loader
    fleet_logouts_->stop();
    loader_.join();
  }

  Result<void, StartError> start() {
    started_ = monotonic_now();
    started_wall_ = wall_now();
    store_.know(options_.bequest.sockets.get());
    generation_ = options_.bequest.generation;
    config::LoadResult loaded = load_config();
    if (!loaded.config) {
      return Failure<StartError>{
          {StartError::Kind::kInvalidConfig, summary_of(loaded), std::move(loaded.diagnostics)}};
    }
    log::set_level(level_from(loaded.config->log_level));
    log_diagnostics(loaded.diagnostics);
    if (options_.handle_signals) {
      signals_.start();
    }
    loaded.config->generation = ++generation_;
    config_ = std::make_shared<const config::Config>(std::move(*loaded.config));
    config_hash_ = digest_of(loaded);
    if (callbacks_.before_gateway) {
      if (auto allowed = callbacks_.before_gateway(*config_); !allowed) {
        return Failure<StartError>{{StartError::Kind::kBeforeGateway, allowed.error(), {}}};
      }
    }
    fleet_keys_ = FleetKeys::open(context_, *config_, fleet_keys_hooks());
    if (Result<void, std::string> gateway = start_gateway(); !gateway) {
      return Failure<StartError>{{StartError::Kind::kGateway, gateway.error(), {}}};
    }
    if (neighbours_.serving()) {
      record_start("start");
    }
    release_book_ = std::make_shared<ReleaseFile>(config_->state_dir, loader_);
    releases_.use(release_book_);
    releases_.apply(config_, *gateway_);
    refresher_.apply(config_);
    key_fetcher_.apply(*config_);
    open_config_center();
    open_editor();
    watch();
    check_health();
    watch_health();
    refresher_.prepare(config_, options_.resolve_at_most, [this] {
      asio::post(context_, [this] {  // never within start()
        checker_.when_known(options_.resolve_at_most, [this] {
          key_fetcher_.prepare(options_.resolve_at_most, [this] { wait_for_documents(); });
        });
      });
    });
    return {};
  }

  void reload(const std::function<void(ReloadOutcome)>& done, std::string_view actor) {
    reload_by([this] { return load_config(); }, done, {.actor = std::string(actor)});
  }

  struct Reason {
    std::string actor;
    std::string object = {};  // what it is about; empty: the file
    bool is_news = false;     // neither an operator nor the service manager wants a reload
  };

  void reload_by(std::function<config::LoadResult()> load,
                 const std::function<void(ReloadOutcome)>& done, Reason reason) {
    // A successor says that it is ready when it has the documents.
    const bool prepares = reason.is_news && !neighbours_.serving();
    const bool upgrades = neighbours_.upgrading() || (!neighbours_.serving() && !prepares);
    const bool leaves = drain_.state() != DrainState::kServing || gateway_ == nullptr;
    if (leaves || upgrades || reloading_) {
      done(refused(leaves     ? "the process is going down"
                   : upgrades ? "an upgrade is under way"
                              : "another reload is under way"));
      return;
    }
    reason_ = std::move(reason);
    if (!reason_.is_news) {
      last_reload_at_ = monotonic_now();
      notifier_.reloading(last_reload_at_);
    }
    reloading_ = true;
    // A large file takes seconds, in which health is to be checked and shards are to be served.
    loader_.run(
        [load = std::move(load), before = config_] {
          config::LoadResult loaded = load();
          loaded.digest = digest_of(loaded);
          if (loaded.config) {
            loaded.config->generation = before->generation + 1;
            config::share_unchanged(*loaded.config, *before);
          }
          return loaded;
        },
        [this, done](config::LoadResult loaded) { take_loaded(std::move(loaded), done); });
  }

  void take_loaded(config::LoadResult loaded, const std::function<void(ReloadOutcome)>& done) {
    offered_hash_ = loaded.digest;
    if (drain_.state() != DrainState::kServing || gateway_ == nullptr) {
      reloading_ = false;
      done(refused("the process is going down"));
      return;
    }
    if (!loaded.config) {
      reloading_ = false;
      finish_reload(invalid_config(std::move(loaded)), done);
      return;
    }
    auto next = std::make_shared<const config::Config>(std::move(*loaded.config));
    // Names first, so that a new upstream has addresses when its first request comes.
    refresher_.prepare(next, options_.resolve_at_most,
                       [this, next, warnings = std::move(loaded.diagnostics), done] {
                         reloading_ = false;
                         publish(next, warnings, done);
                       });
  }

  Result<void, std::string> set_order(std::string_view upstream, std::string_view endpoint,
                                      policy::EndpointHealth::Order order, std::string_view actor) {
    return order_endpoints(gateway_.get(), generation_, {upstream, endpoint, order, actor});
  }

  Result<server::PluginSwap, std::string> change_plugin(std::string_view plugin,
                                                        server::PluginChange change,
                                                        std::string_view actor) {
    server::Gateway* const serving =
        drain_.state() == DrainState::kServing ? gateway_.get() : nullptr;
    return control::change_plugin(serving, generation_, {plugin, change, actor});
  }

  void record_admin(const AdminEvent& event) {
    if (gateway_ != nullptr) {
      control::record_admin(gateway_->audit_log(), generation_, event);
    }
  }

  bool record_reading(audit::Event event, std::string_view actor, std::string_view detail) {
    if (drain_.state() == DrainState::kStopped) {
      return false;
    }
    return gateway_ == nullptr ||
           control::record_reading(gateway_->audit_log(), event, generation_, actor, detail);
  }

  void upgrade(const std::string& binary, std::function<void(UpgradeOutcome)> done,
               std::string_view actor) {
    const char* why_not = drain_.state() != DrainState::kServing ? "the process is going down"
                          : !ready_                              ? "the process is not ready yet"
                          : reloading_                           ? "a reload is under way"
                          : editor_ && editor_->busy()           ? "a change is being written"
                          : neighbours_.upgrading()              ? "another upgrade is under way"
                                                                 : nullptr;
    if (why_not != nullptr) {
      done({.done = false, .error = why_not});
      return;
    }
    neighbours_.upgrade(binary, *config_, actor,
                        [this, done = std::move(done)](UpgradeOutcome outcome) {
                          last_upgrade_ = LastUpgrade{wall_now(), outcome.error};
                          done(std::move(outcome));
                        });
  }

  void on_signal(int number) override {
    if (neighbours_.pass_on(number)) {
      return on_signal_after_leaving(number);
    }
    if (neighbours_.defers(number)) {
      return;
    }
    switch (number) {
      case SIGHUP: reload_soon(); break;
      case SIGTERM:
      case SIGINT: terminate(); break;
      case SIGQUIT: fast_stop(); break;
      case SIGUSR1: reopen_logs(); break;
      case SIGUSR2:
        upgrade(
            {}, [](const UpgradeOutcome&) {}, "signal");
        break;
      default: break;
    }
  }

  void terminate();

  void fast_stop();

  void reopen_logs() override {
    if (gateway_ != nullptr) {
      gateway_->reopen_logs();
      log::info("logs_reopened");
    }
    neighbours_.reopen_logs();
  }

  Readiness readiness() const {
    const bool lacks_documents = center_ != nullptr && !center_->known();
    return readiness_of(drain_.state(), ready_, lacks_documents);
  }

  DaemonStatus status() const {
    DaemonStatus status;
    status.readiness = readiness();
    status.state = drain_.state();
    status.uptime = monotonic_now() - started_;
    status.started = started_wall_;
    status.config_path = config_ != nullptr ? config_->source_path : std::string();
    if (gateway_ != nullptr) {
      status.gateway = gateway_->status();
    }
    status.names = refresher_.status();
    status.discoveries = refresher_.discoveries();
    status.checks = checker_.status();
    status.keys = key_fetcher_.status();
    status.releases = releases_.status();
    status.certificate_alarms = certificates_.alarms();
    status.first_certificate_end_s = certificates_.first_end_s();
    if (center_ != nullptr) {
      status.config_center = center_->status();
      if (status.certificate_alarms.empty()) {
        status.certificate_alarms = status.config_center.fleet.certificates;
      }
    }
    if (editor_ != nullptr) {
      status.documents = editor_->status();
    }
    status.logout_sharing = fleet_logouts_->status();
    status.last_reload = last_reload_;
    status.last_upgrade = last_upgrade_;
    status.predecessor = neighbours_.predecessor();
    return status;
  }

  std::shared_ptr<const config::Config> config() const { return config_; }

  ConfigEditor* editor() const { return editor_.get(); }

  bool failed() const { return failed_; }

  ReleaseController& releases() { return releases_; }

  stats::Registry* registry() { return gateway_ != nullptr ? &gateway_->registry() : nullptr; }

 private:
  // How often the files of certificates are looked at.
  static constexpr Duration kTlsInterval = std::chrono::seconds(2);

  // What closing down may take beyond `lb_delay` and `drain_timeout`: told to the service manager.
  static constexpr Duration kStopMargin = std::chrono::seconds(5);

  // When a reload is under way.
  static constexpr Duration kReloadAgain = std::chrono::milliseconds(10);
  // Of refusals, while there is no audit log.
  static constexpr size_t kUnrecordedMax = 256;
  // How often a process that has nothing else to do looks for those that relay through it.
  static constexpr Duration kRelayPoll = std::chrono::milliseconds(100);
  // In which other nodes are told what was ended here last.
  static constexpr Duration kLogoutsPatience = std::chrono::seconds(2);
  // In which a signal that was caught has come to its handler.
  static constexpr Duration kSignalPatience = std::chrono::milliseconds(50);

  Result<void, std::string> start_gateway() {
    server::Callbacks callbacks;
    callbacks.on_keys_wanted = [this](const std::string& authenticator) {  // on a shard's thread
      asio::post(context_, [this, authenticator] { key_fetcher_.want(authenticator); });
    };
    callbacks.on_drained = [this] {  // on a shard's thread
      asio::post(context_, [this] { on_drained(); });
    };
    callbacks.on_sessions_ended = fleet_logouts_->open(*config_);
    const SignalsBlocked shards_take_no_signal;
    auto started = options_.start_gateway(
        config_, std::move(callbacks),
        {.sockets = options_.bequest.sockets,
         .secrets = options_.bequest.secrets,
         .shared_secrets =
             fleet_keys_ != nullptr ? fleet_keys_->secrets() : std::vector<std::string>(),
         .held = options_.predecessor != nullptr});
    if (!started) {
      return Failure<std::string>{started.error()};
    }
    gateway_ = std::move(*started);
    fleet_logouts_->begin(*gateway_);
    begin_rounds();
    return {};
  }

  FleetKeys::Hooks fleet_keys_hooks() {
    return {.use =
                [this](std::vector<std::string> secrets) {
                  if (gateway_ != nullptr) {
                    gateway_->set_shared_secrets(std::move(secrets));
                  }
                },
            .on_refused =
                [this](const std::string& reason) {
                  record_refusal({.key = "keys", .reason = reason});
                },
            .loader = &loader_};
  }

  config::LoadResult load_config() {
    return options_.source != nullptr ? options_.source->load() : options_.load_config();
  }

  void open_config_center() {
    if (options_.source == nullptr || !config_->config_center.enabled) {
      return;
    }
    ConfigCenter::Hooks hooks;
    hooks.loader = &loader_;
    hooks.apply = [this](std::function<config::LoadResult()> load, std::string actor,
                         std::function<void(ConfigCenter::Applied)> done) {
      if (drain_.state() != DrainState::kServing) {
        return;  // nobody waits for news any more
      }
      reload_by(
          std::move(load),
          [done = std::move(done)](const ReloadOutcome& outcome) { done(seen_by_center(outcome)); },
          {.actor = std::move(actor), .is_news = true});
    };
    hooks.on_refused = [this](const config::Refusal& refusal) { record_refusal(refusal); };
    hooks.on_driven = [this](const fleet::Rollout& rollout) {
      record_rollout(gateway_->audit_log(), generation_, rollout);
    };
    hooks.releases = &releases_;
    hooks.release_book = release_book_;
    hooks.keys = fleet_keys_;
    hooks.certificates = [this] { return certificates_.ending(); };
    center_ = std::make_unique<ConfigCenter>(context_, *config_, options_.source,
                                             gateway_->registry(), hooks);
    center_->start();
  }

  void open_editor() {
    if (options_.source == nullptr) {
      return;
    }
    ConfigEditor::Hooks hooks;
    hooks.loader = &loader_;
    hooks.apply = [this](std::function<config::LoadResult()> load, std::string actor,
                         std::string object, std::function<void(const ReloadOutcome&)> done) {
      reload_by(std::move(load), done, {std::move(actor), std::move(object), /*is_news=*/true});
    };
    hooks.in_force = [this] { return ConfigEditor::InForce{generation_, config_hash_}; };
    hooks.center = [this] { return center_ ? center_->status() : ConfigCenterStatus{}; };
    hooks.serves = [this] { return decides(); };
    editor_ = std::make_unique<ConfigEditor>(context_, *config_, options_.source, hooks);
  }

  void wait_for_documents() {
    center_ == nullptr ? become_ready() : center_->when_known([this] { wait_for_keys(); });
  }

  void wait_for_keys() {
    fleet_keys_ == nullptr
        ? become_ready()
        : fleet_keys_->when_known(options_.resolve_at_most, [this] { become_ready(); });
  }

  void record_config(ConfigEvent event) {
    event.generation = generation_;
    event.file = event.file.empty() ? std::string_view(config_->source_path) : event.file;
    control::record_config(gateway_->audit_log(), event);
  }

  /// Of what the config centre holds. A process that does not serve yet has no audit log.
  void record_refusal(const config::Refusal& refusal) {
    if (gateway_ != nullptr && neighbours_.serving()) {
      record_config({.actor = "config_center", .file = refusal.key, .error = refusal.reason});
    } else if (unrecorded_.size() < kUnrecordedMax) {
      unrecorded_.push_back(refusal);
    }
  }

  /// It serves from now on.
  void record_start(std::string_view actor) {
    record_config({.applied = true, .actor = actor, .after = config_hash_});
    for (const config::Refusal& each : std::exchange(unrecorded_, {})) {
      record_refusal(each);
    }
  }

  void become_ready() {
    if (drain_.state() != DrainState::kServing) {
      return;
    }
    if (!neighbours_.serving()) {
      neighbours_.ask_predecessor(*config_);
      return;
    }
    ready_ = true;
    const double milliseconds =
        std::chrono::duration<double, std::milli>(monotonic_now() - started_).count();
    log::info("ready generation={} after_ms={:.1f}", generation_, milliseconds);
    if (options_.predecessor == nullptr) {
      on_main();
    }
    if (callbacks_.on_ready) {
      callbacks_.on_ready();
    }
  }

  /// Whether this process is the one whose word counts: not one that comes or goes.
  bool decides() const {
    return neighbours_.serving() && !neighbours_.upgrading() && !neighbours_.left() &&
           drain_.state() == DrainState::kServing;
  }

  std::string serving_text() const { return fmt::format("serving generation {}", generation_); }

  // Neighbours::Host

  server::Gateway* gateway() override { return gateway_.get(); }

  std::vector<server::HandedSocket> admin_sockets() override {
    return callbacks_.admin_sockets ? callbacks_.admin_sockets()
                                    : std::vector<server::HandedSocket>{};
  }

  void on_taken_over() override {
    if (gateway_ == nullptr) {
      return;  // it ends already
    }
    record_start("upgrade");
    releases_.read_again();
    if (callbacks_.on_taken_over) {
      callbacks_.on_taken_over();
    }
    become_ready();
  }

  void on_main() override {
    if (gateway_ == nullptr) {
      return;  // it ends already
    }
    store_.follow(gateway_->sockets());
    notifier_.ready(serving_text());
  }

  void on_nothing_to_take() override {
    failed_ = failed_ || drain_.state() != DrainState::kStopped;  // else it was told to end
    carry_out(drain_.on_fast_stop());
  }

  void on_left(pid_t successor, const server::LeavePlan& plan) override {
    notifier_.main_process(successor);
    neighbours_.tell_main();
    watchdog_rounds_.stop();
    if (callbacks_.on_leave) {
      callbacks_.on_leave();
    }
    leave_ = plan;
    carry_out(drain_.on_terminate({Duration::zero(), plan.within}));
  }

  void on_line_ended() override { carry_out(drain_.on_fast_stop()); }

  /// To a process that has made room but is the one that people know.
  void on_signal_after_leaving(int number) override;

  /// Others may still send records of theirs by way of this process.
  void on_drained();

  void publish(const std::shared_ptr<const config::Config>& next,
               const std::vector<config::Diagnostic>& warnings,
               const std::function<void(ReloadOutcome)>& done) {
    if (drain_.state() != DrainState::kServing || gateway_ == nullptr) {
      done(refused("the process is going down"));
      return;
    }
    auto applied = gateway_->apply(next);
    if (!applied) {
      refresher_.apply(config_);
      ReloadOutcome outcome = refused(applied.error());
      outcome.tried = true;
      if (options_.source != nullptr && !reason_.is_news) {  // else whoever brought them sees to it
        loader_.run([source = options_.source] { source->revert_load(); });
      }
      finish_reload(std::move(outcome), done);
      return;
    }
    ReloadOutcome outcome = applied_outcome(*config_, *next, std::move(*applied));
    outcome.diagnostics = warnings;
    generation_ = next->generation;
    config_ = next;
    releases_.apply(config_, *gateway_);
    log::set_level(level_from(config_->log_level));
    refresher_.apply(config_);
    key_fetcher_.apply(*config_);
    store_.follow(gateway_->sockets());
    check_health();
    finish_reload(std::move(outcome), done);
  }

  void finish_reload(ReloadOutcome outcome, const std::function<void(ReloadOutcome)>& done) {
    const bool applied = outcome.kind == ReloadOutcome::Kind::kApplied;
    record_config({.applied = applied,
                   .actor = reason_.actor,
                   .file = reason_.object,
                   .before = config_hash_,
                   .after = offered_hash_,
                   .error = outcome.error});
    if (applied) {
      config_hash_ = offered_hash_;
    }
    last_reload_ = LastReload{wall_now(), applied, generation_, outcome.error, outcome.diagnostics};
    log_outcome(outcome, generation_);
    // systemd ends its wait for a reload at READY=1, whatever came of it.
    const std::string text =
        applied ? serving_text()
                : fmt::format("{}; last reload refused: {}", serving_text(), outcome.error);
    if (ready_) {
      notifier_.ready(text);
    }
    done(std::move(outcome));
  }

  // The first SIGHUP reloads at once; more within the interval are one reload at its end.
  void reload_soon() {
    const TimePoint earliest = last_reload_at_ + options_.reload_interval_min;
    const TimePoint now = monotonic_now();
    if (!reloading_ && (last_reload_at_ == TimePoint{} || now >= earliest)) {
      reload([](const ReloadOutcome&) {}, "signal");
      return;
    }
    reload_timer_.expires_after(std::max(earliest - now, kReloadAgain));  // in place of one before
    reload_timer_.async_wait([this](error_code error) {
      if (!error) {
        reload_soon();
      }
    });
  }

  void carry_out(const DrainStep& step);

  void wait_for_drain(Duration at_most);

  void stop();

  void look_back();

  void end();

  /// Certificates are renewed by whoever writes their files, and ticket keys take turns. Plugins
  /// are watched at the same pace.
  void begin_rounds() {
    look_at_certificates();
    tls_rounds_.start(kTlsInterval, [this] {
      gateway_->refresh_tls();
      look_at_certificates();
      for (const std::string& name : gateway_->changed_plugins()) {
        static_cast<void>(change_plugin(name, server::PluginChange::kNewFile, "watch").has_value());
      }
      return kTlsInterval;
    });
    load_rounds_.start(gateway_->sample_load(), [this] { return gateway_->sample_load(); });
  }

  void look_at_certificates() {
    certificates_.look(*config_, *gateway_, fleet_part(center_.get(), *config_), wall_now(),
                       monotonic_now());
  }

  /// The endpoints, or what is asked of them, may have changed.
  void check_health() {
    if (config_ != nullptr && gateway_ != nullptr) {
      checker_.apply(config_, *gateway_);
    }
  }

  void watch_health() {
    const auto look = [this] {
      watch_.look(*config_, *gateway_, monotonic_now());
      checker_.wake();
      return HealthWatch::kInterval;
    };
    health_rounds_.start(look(), look);
  }

  void watch() {
    const Duration interval = notifier_.watchdog_interval();
    if (interval > Duration::zero()) {
      watchdog_rounds_.start(interval, [this, interval] {
        notifier_.alive();
        return interval;
      });
    }
  }

  asio::io_context& context_;
  DaemonOptions options_;
  DaemonCallbacks callbacks_;
  ServiceNotifier notifier_;
  DescriptorStore store_{notifier_};
  std::unique_ptr<server::Gateway> gateway_;
  EndpointRefresher refresher_;
  HealthChecker checker_;
  HealthWatch watch_;
  CertificateWatch certificates_;
  KeyFetcher key_fetcher_;
  ReleaseController releases_;
  std::shared_ptr<ReleaseBook> release_book_;  // of this node
  std::shared_ptr<FleetKeys> fleet_keys_;      // nullptr: this node has keys of its own
  std::shared_ptr<FleetLogouts> fleet_logouts_ = std::make_shared<FleetLogouts>(context_);
  Neighbours neighbours_;
  DrainMachine drain_;
  server::LeavePlan leave_;  // how, once it drains
  SignalWatch signals_;
  asio::steady_timer drain_timer_;
  asio::steady_timer relay_timer_;
  asio::steady_timer reload_timer_;
  Rounds watchdog_rounds_;
  Rounds tls_rounds_;
  Rounds health_rounds_;
  Rounds load_rounds_;
  std::shared_ptr<const config::Config> config_;
  std::string config_hash_;   // of the file in force, as it was
  std::string offered_hash_;  // of that of the reload under way
  std::vector<config::Refusal> unrecorded_;
  Reason reason_;  // of the same
  std::optional<LastReload> last_reload_;
  std::optional<LastUpgrade> last_upgrade_;
  TimePoint started_;
  TimePoint last_reload_at_;
  WallTime started_wall_;
  uint64_t generation_ = 0;
  bool ready_ = false;
  bool failed_ = false;
  bool reloading_ = false;
  std::unique_ptr<ConfigCenter> center_;  // nullptr: none
  std::unique_ptr<ConfigEditor> editor_;  // the same: the config comes from elsewhere
  Loader loader_;                         // last, so that nothing it works on goes before it
};

}  // namespace hangu::control
