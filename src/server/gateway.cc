#include "hangu/server/gateway.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <future>
#include <map>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "hangu/audit/audit_log.h"
#include "hangu/base/log.h"
#include "hangu/filter/plugin_filter.h"
#include "hangu/http/websocket_frames.h"
#include "hangu/identity/sealer.h"
#include "hangu/plugin/store.h"

#include "server/accept_queues.h"
#include "server/access_logs.h"
#include "server/audit_log_options.h"
#include "server/certificate_records.h"
#include "server/cpus.h"
#include "server/idle_connections.h"
#include "server/limit_status.h"
#include "server/listening_sockets.h"
#include "server/load_sampler.h"
#include "server/part_status.h"
#include "server/password_worker.h"
#include "server/random.h"
#include "server/secrets.h"
#include "server/shard.h"
#include "server/snapshot_builder.h"
#include "server/tls_material.h"
#include "server/upstream_states.h"

namespace hangu::server {
namespace {

constexpr size_t kSessionSecretBytes = 32;

class GatewayImpl final : public Gateway, private filter::JwtKeys::Fetcher {
 public:
  GatewayImpl(std::shared_ptr<const config::Config> config, Callbacks callbacks,
              Inheritance inherited)
      : config_(std::move(config)),
        callbacks_(std::move(callbacks)),
        inherited_(std::move(inherited)),
        registry_(worker_count(*config_)),
        quotas_(config_->state_dir),
        logouts_(config_->state_dir, callbacks_.on_sessions_ended),
        builder_(registry_, quotas_, logouts_, *this, passwords_),
        plugins_({.folder = config_->state_dir + "/plugins",
                  .functions = &filter::plugin_functions(),
                  .workers = registry_.shards()},
                 registry_) {
    if (inherited_.held) {
      quotas_.wait();
      logouts_.wait();
    }
    Secrets secrets = decode_secrets(inherited_.secrets);
    tls_.begin_with({.own = std::move(secrets.ticket_keys), .shared = inherited_.shared_secrets});
    sticky_secret_ = std::move(secrets.sticky);
    session_secret_ = std::move(secrets.session);
    if (session_secret_.empty()) {
      session_secret_ = identity::random_text(kSessionSecretBytes);
    }
    use_session_secrets();
  }

  ~GatewayImpl() override {
    passwords_.stop();
    for (const auto& shard : shards_) {
      shard->stop();
    }
    for (const auto& [name, store] : stores_) {
      store->stop();
    }
    quotas_.stop();
    logouts_.stop();
  }

  Result<void, std::string> open();

  Result<ReloadReport, std::string> apply(std::shared_ptr<const config::Config> config) override;
  void set_endpoints(std::string_view upstream, std::vector<ResolvedEndpoint> endpoints) override;

  std::vector<EndpointHandle> endpoints(std::string_view upstream) const override {
    return upstreams_.pools().handles(upstream);
  }

  std::shared_ptr<policy::ReleaseShare> release_share(std::string_view route) const override {
    return builder_.release_share(route);
  }

  std::shared_ptr<const tls::ClientContext> client_tls(std::string_view upstream) const override {
    return tls_.of_upstream(upstream);
  }

  void set_keys(const std::string& authenticator, bool changed, identity::Issuer issuer) override;
  void begin_drain(const LeavePlan& plan) override;

  std::vector<HandedSocket> sockets() const override { return sockets_.handed(); }

  std::string secrets() const override {
    return encode(
        {.sticky = sticky_secret_, .session = session_secret_, .ticket_keys = tls_.tickets().own});
  }

  Result<void, std::string> hand_over(const std::string& audit_path,
                                      std::string_view detail) override;
  void take_back() override;
  void relay_audit(int socket) override;

  bool relays_for_others() const override {
    return audit_log_ != nullptr && audit_log_->relaying() != 0;
  }

  Result<void, std::string> take_over(int audit_relay) override;
  void adopt(int fd, std::string_view told) override;

  void end_sessions(const LogoutKeeper::Entries& entries) override { logouts_.take(entries); }

  bool ends_sessions() const override { return logouts_.in_use(); }

  LogoutKeeper::Entries ended_sessions() const override { return logouts_.all(); }

  void reopen_logs() override { access_logs_.reopen(); }

  void set_shared_secrets(std::vector<std::string> secrets) override;
  void refresh_tls() override;
  Duration sample_load() override;
  Result<PluginSwap, std::string> change_plugin(std::string_view name,
                                                PluginChange change) override;

  std::vector<std::string> changed_plugins() override { return plugins_.changed_files(*config_); }

  GatewayStatus status() const override;

  std::vector<CertificateStatus> certificates() const override { return tls_.certificates(); }

  stats::Registry& registry() override { return registry_; }

  audit::AuditLog* audit_log() override { return audit_log_.get(); }

  std::shared_ptr<const config::Config> config() const override { return config_; }

 private:
  using BoundListeners = ListeningSockets::Listeners;

  // JwtKeys::Fetcher, on a shard
  void want_keys(const std::string& authenticator) noexcept override {
    if (callbacks_.on_keys_wanted) {
      callbacks_.on_keys_wanted(authenticator);
    }
  }

  static uint32_t worker_count(const config::Config& config) {
    return config.workers != 0 ? config.workers : static_cast<uint32_t>(allowed_cpus().size());
  }

  Result<void, std::string> start_shards();
  void forget_inheritance();
  Result<BoundListeners, std::string> bind_added(const config::Config& config,
                                                 const std::vector<std::string>& removed);
  std::vector<std::string> removed_by(const config::Config& config) const;
  void follow_backlogs(const config::Config& config);
  Result<void, std::string> open_audit_log();

  Logs logs() const { return {.access = access_logs_.current(), .audit = audit_log_.get()}; }

  config::Upstream completed(config::Upstream upstream);
  std::vector<ClusterUpdate> cluster_updates(const config::Config& config);
  void open_stores(const config::Config& config);
  void retire(const std::shared_ptr<ClusterStore>& store);
  void use_session_secrets();
  void publish_tls(const TlsMaterial::News& news);

  std::shared_ptr<const filter::Snapshot> build(std::shared_ptr<const config::Config> config) {
    return builder_.build(std::move(config), logs(), tls_.contexts(),
                          {.stores = &stores_, .plugins = &plan_});
  }

  void commit_plugins() { plugins_.commit(*config_, plan_, std::chrono::system_clock::now()); }

  void release_unused();
  void publish(std::shared_ptr<const filter::Snapshot> snapshot, const BoundListeners& added,
               const std::vector<std::string>& removed);

  std::shared_ptr<const config::Config> config_;
  Callbacks callbacks_;
  Inheritance inherited_;
  stats::Registry registry_;
  QuotaSaver quotas_;
  LogoutKeeper logouts_;
  PasswordWorker passwords_{[this](filter::PasswordAnswer answer) {
    Shard& shard = *shards_[answer.question.shard];
    shard.post([&shard, answer = std::move(answer)] { shard.take_password_answer(answer); });
  }};
  SnapshotBuilder builder_;
  plugin::Store plugins_;
  plugin::Plan plan_;  // of them, in force
  TlsMaterial tls_;
  AccessLogs access_logs_{registry_.shards()};
  ClusterStores stores_;
  std::vector<std::shared_ptr<ClusterStore>> stores_before_;  // streams may still know them
  std::unique_ptr<audit::AuditLog> audit_log_;
  std::vector<std::unique_ptr<Shard>> shards_;
  ListeningSockets sockets_{registry_.shards()};
  BoundListeners held_;  // not accepted from before take_over()
  std::unique_ptr<IdleConnections> passing_;
  uint32_t adopted_ = 0;
  UpstreamStates upstreams_{registry_};
  std::string sticky_secret_;   // where the config has none
  std::string session_secret_;  // of logins, likewise
  LoadSampler load_sampler_{registry_.overload()};
  AcceptQueues accept_queues_{registry_};
  std::string event_loop_;
  std::atomic<uint32_t> shards_draining_{0};
  bool draining_ = false;
};

Result<void, std::string> GatewayImpl::open() {
  if (auto loaded = tls_.load(*config_); !loaded) {
    return loaded;
  }
  auto plan = plugins_.plan(*config_);
  if (!plan) {
    return Failure<std::string>{plugin::to_string(plan.error(), config_->source_path)};
  }
  net::InheritedSockets none;
  net::InheritedSockets& given = inherited_.sockets != nullptr ? *inherited_.sockets : none;
  BoundListeners bound;
  for (const config::Listener& listener : config_->listeners) {
    auto sockets = sockets_.open(listener, given);
    if (!sockets) {
      return Failure<std::string>{sockets.error()};
    }
    bound[listener.name] = std::move(*sockets);
  }
  if (!inherited_.held) {
    if (auto listening = ListeningSockets::listen(bound); !listening) {
      return listening;
    }
  }
  if (auto started = start_shards(); !started) {
    return started;
  }
  if (auto opened = access_logs_.open(config_->access_log); !opened) {
    return opened;
  }
  open_stores(*config_);
  plan_ = std::move(*plan);
  held_ = std::move(bound);
  if (inherited_.held) {
    publish(build(config_), {}, {});
  } else {
    if (auto opened = open_audit_log(); !opened) {
      return opened;
    }
    publish(build(config_), std::exchange(held_, {}), {});
  }
  commit_plugins();
  if (!inherited_.held) {
    forget_inheritance();
  }
  return {};
}

/// What no listener has taken is closed: nobody would ever accept there.
void GatewayImpl::forget_inheritance() {
  if (inherited_.sockets != nullptr) {
    inherited_.sockets->close_rest();
  }
  inherited_ = {};
}

Result<void, std::string> GatewayImpl::start_shards() {
  const std::vector<int> cpus = allowed_cpus();
  const uint32_t count = worker_count(*config_);
  const bool pin = config_->pin_workers && count <= cpus.size();
  for (uint32_t id = 0; id < count; ++id) {
    shards_.push_back(std::make_unique<Shard>(
        ShardOptions{.id = id,
                     .cpu = pin ? cpus[id] : -1,
                     .event_loop = config_->event_loop,
                     .node_seed = std::hash<std::string>{}(config_->node),
                     .buffers = config_->buffers,
                     .stats = &registry_.shard(id),
                     .on_drained = [this] {
                       if (shards_draining_.fetch_sub(1) == 1 && callbacks_.on_drained) {
                         callbacks_.on_drained();
                       }
                     }}));
    const auto backend = shards_.back()->start();
    if (!backend) {
      return Failure<std::string>{fmt::format("event loop: {} (errno {})", backend.error().detail,
                                              backend.error().sys_errno)};
    }
    event_loop_ = *backend;
  }
  return {};
}

/// Opened once: only a restart ends or changes it.
Result<void, std::string> GatewayImpl::open_audit_log() {
  if (!config_->audit.enabled) {
    return {};
  }
  auto opened =
      audit::AuditLog::open(audit_log_options(*config_, static_cast<uint32_t>(shards_.size())));
  if (!opened) {
    return Failure<std::string>{"audit log: " + opened.error()};
  }
  audit_log_ = std::move(*opened);
  return {};
}

/// Those of the config; one that has changed is made anew, when the one before has ended: both
/// write the same numbers.
void GatewayImpl::open_stores(const config::Config& config) {
  ClusterStores wanted;
  for (const config::Store& store : config.stores) {
    const auto tls_of = tls_.contexts().stores.find(store.name);
    const auto tls = tls_of != tls_.contexts().stores.end() ? tls_of->second : nullptr;
    const auto found = stores_.find(store.name);
    if (found != stores_.end() && found->second->config() == store) {
      found->second->set_tls(tls);
      wanted[store.name] = found->second;
      continue;
    }
    if (found != stores_.end()) {
      retire(found->second);
    }
    auto opened = std::make_shared<ClusterStore>(store, tls, registry_.shards(),
                                                 registry_.store(store.name), Random().next());
    opened->start();
    wanted[store.name] = std::move(opened);
  }
  for (const auto& [name, store] : stores_) {
    if (!wanted.contains(name)) {
      retire(store);
    }
  }
  stores_ = std::move(wanted);
}

void GatewayImpl::retire(const std::shared_ptr<ClusterStore>& store) {
  store->stop();
  stores_before_.push_back(store);
}

/// What a worker needs that the file does not say.
config::Upstream GatewayImpl::completed(config::Upstream upstream) {
  std::string& secret = upstream.balancing.sticky.secret.text;
  if (upstream.balancing.sticky.enabled && secret.empty()) {
    if (sticky_secret_.empty()) {
      Random random;
      sticky_secret_ = fmt::format("{:016x}{:016x}", random.next(), random.next());
    }
    secret = sticky_secret_;
  }
  return upstream;
}

std::vector<ClusterUpdate> GatewayImpl::cluster_updates(const config::Config& config) {
  std::vector<ClusterUpdate> updates;
  for (const config::Upstream& upstream : config.upstreams) {
    ClusterUpdate& update = updates.emplace_back(upstreams_.update_of(completed(upstream)));
    update.number = builder_.cluster_number(upstream.name);
    update.tls = client_tls(upstream.name);
  }
  return updates;
}

void GatewayImpl::publish(std::shared_ptr<const filter::Snapshot> snapshot,
                          const BoundListeners& added, const std::vector<std::string>& removed) {
  std::vector<RemovedListener> leaving;
  for (const std::string& name : removed) {
    leaving.push_back({.name = name, .goes_on = sockets_.goes_on(name, added)});
    accept_queues_.forget(name);  // from here on its sockets are closed
    sockets_.forget(name);
  }
  const std::vector<ClusterUpdate> clusters = cluster_updates(*snapshot->config);
  std::vector<std::future<void>> applied;
  for (const auto& shard : shards_) {
    ShardUpdate update{
        .snapshot = snapshot, .clusters = clusters, .stores = {}, .added = {}, .removed = leaving};
    for (const auto& [name, store] : stores_) {
      update.stores.push_back(store);
    }
    for (const auto& [name, listener] : added) {
      for (size_t i = shard->options().id; i < listener.sockets.size(); i += shards_.size()) {
        update.added.push_back({.name = name, .fd = listener.sockets[i]});
      }
    }
    std::promise<void> done;
    applied.push_back(done.get_future());
    Shard& target = *shard;
    target.post([&target, update = std::move(update), done = std::move(done)]() mutable {
      target.apply(std::move(update));
      done.set_value();
    });
  }
  for (auto& done : applied) {
    done.wait();
  }
  sockets_.add(added);
  for (const auto& [name, listener] : added) {
    accept_queues_.add(name, listener.sockets);
  }
}

/// Whether a listener of `where` can keep its socket.
bool keeps_socket(const config::Config& where, const config::Listener& listener) {
  return std::any_of(where.listeners.begin(), where.listeners.end(),
                     [&](const config::Listener& other) {
                       return other.name == listener.name && other.bind == listener.bind;
                     });
}

std::vector<std::string> GatewayImpl::removed_by(const config::Config& config) const {
  std::vector<std::string> removed;
  for (const config::Listener& listener : config_->listeners) {
    if (!keeps_socket(config, listener)) {
      removed.push_back(listener.name);
    }
  }
  return removed;
}

/// A listener with the address of one that goes gets its very sockets: closing one would reset the
/// connections that are being made there.
Result<GatewayImpl::BoundListeners, std::string> GatewayImpl::bind_added(
    const config::Config& config, const std::vector<std::string>& removed) {
  net::InheritedSockets going;
  sockets_.copy(removed, going);
  BoundListeners added;
  for (const config::Listener& listener : config.listeners) {
    if (keeps_socket(*config_, listener)) {
      continue;
    }
    auto bound = sockets_.open(listener, going);
    if (!bound) {
      ListeningSockets::close(added);
      return Failure<std::string>{bound.error()};
    }
    added[listener.name] = std::move(*bound);
  }
  if (auto listening = ListeningSockets::listen(added); !listening) {
    ListeningSockets::close(added);
    return Failure<std::string>{listening.error()};
  }
  return added;
}

/// The kernel lets it be changed in place.
void GatewayImpl::follow_backlogs(const config::Config& config) {
  BoundListeners listeners = sockets_.all();
  for (const config::Listener& listener : config.listeners) {
    if (const auto found = listeners.find(listener.name); found != listeners.end()) {
      found->second.backlog = listener.backlog;
    }
  }
  static_cast<void>(ListeningSockets::listen(listeners).has_value());
}

Result<ReloadReport, std::string> GatewayImpl::apply(std::shared_ptr<const config::Config> config) {
  auto plan = plugins_.plan(*config);
  if (!plan) {
    return Failure<std::string>{plugin::to_string(plan.error(), config->source_path)};
  }
  const TlsContexts tls_before = tls_.contexts();
  if (auto loaded = tls_.load(*config); !loaded) {
    return Failure<std::string>{loaded.error()};
  }
  audit::LogWriter* const log_before = access_logs_.current();
  if (auto opened = access_logs_.open(config->access_log); !opened) {
    tls_.go_back(tls_before);
    return Failure<std::string>{opened.error()};
  }
  ReloadReport report{.generation = config->generation};
  report.listeners_removed = removed_by(*config);
  auto added = bind_added(*config, report.listeners_removed);
  if (!added) {
    tls_.go_back(tls_before);
    access_logs_.go_back(log_before);
    return Failure<std::string>{added.error()};
  }
  for (const auto& [name, listener] : *added) {
    report.listeners_added.push_back(name);
  }
  if (config->workers != config_->workers) {
    report.restart_required.emplace_back("workers");
  }
  if (config->event_loop != config_->event_loop) {
    report.restart_required.emplace_back("event_loop");
  }
  open_stores(*config);
  const auto begun = std::chrono::steady_clock::now();
  plan_ = std::move(*plan);
  std::shared_ptr<const filter::Snapshot> snapshot = build(config);
  report.compile_time = std::chrono::steady_clock::now() - begun;
  publish(std::move(snapshot), *added, report.listeners_removed);
  config_ = std::move(config);
  follow_backlogs(*config_);
  commit_plugins();
  release_unused();
  return report;
}

void GatewayImpl::set_endpoints(std::string_view upstream,
                                std::vector<ResolvedEndpoint> endpoints) {
  if (endpoints.empty()) {
    return;
  }
  const uint32_t number = builder_.cluster_number(std::string(upstream));
  const auto addresses = upstreams_.pools().resolve(upstream, endpoints);
  for (const auto& shard : shards_) {
    shard->post(
        [target = shard.get(), number, addresses] { target->set_endpoints(number, addresses); });
  }
}

void GatewayImpl::set_keys(const std::string& authenticator, bool changed,
                           identity::Issuer issuer) {
  const std::shared_ptr<filter::JwtKeys> target = builder_.identity().jwt_keys(authenticator);
  if (target == nullptr) {
    return;
  }
  target->fetched();
  for (const auto& shard : shards_) {
    shard->post(
        [on = shard.get(), target, changed, issuer] { on->take_keys(*target, changed, issuer); });
  }
}

void GatewayImpl::begin_drain(const LeavePlan& plan) {
  auto passing = plan.to_successor ? std::make_unique<IdleConnections>(plan.idle_socket) : nullptr;
  if (std::exchange(draining_, true)) {
    return;
  }
  accept_queues_.forget_all();
  passing_ = std::move(passing);
  if (plan.to_successor) {
    quotas_.leave_late_counts();
  }
  const downstream::Leave leave{
      .within = plan.within,
      .spread = plan.ws_spread,
      .close_code = plan.to_successor ? http::kCloseServiceRestart : http::kCloseGoingAway,
      .patient = plan.to_successor,
      .successor = passing_.get()};
  shards_draining_ = static_cast<uint32_t>(shards_.size());
  for (const auto& shard : shards_) {
    shard->post([target = shard.get(), leave] { target->drain(leave); });
  }
}

// --- from process to process ------------------------------------------------------------------

Result<void, std::string> GatewayImpl::hand_over(const std::string& audit_path,
                                                 std::string_view detail) {
  if (audit_log_ != nullptr && audit_log_->options().file.path == audit_path) {
    if (auto done = audit_log_->hand_over(detail); !done) {
      return done;
    }
  }
  quotas_.hand_over();
  return {};
}

void GatewayImpl::take_back() {
  quotas_.take_back();
  if (audit_log_ != nullptr) {
    audit_log_->take_back();
  }
}

void GatewayImpl::relay_audit(int socket) {
  if (audit_log_ != nullptr) {
    audit_log_->relay_to(socket);
  } else {
    ::close(socket);
  }
}

Result<void, std::string> GatewayImpl::take_over(int audit_relay) {
  if (auto opened = open_audit_log(); !opened) {
    return opened;
  }
  if (audit_log_ != nullptr && audit_relay >= 0) {
    audit_log_->take_relayed(audit_relay);
  } else if (audit_relay >= 0) {
    ::close(audit_relay);
  }
  if (auto listening = ListeningSockets::listen(held_); !listening) {
    return listening;
  }
  quotas_.take_over();
  logouts_.take_over();
  builder_.restore_quotas();
  publish(build(config_), std::exchange(held_, {}), {});
  forget_inheritance();
  return {};
}

void GatewayImpl::adopt(int fd, std::string_view told) {
  const auto connection = decode_idle_connection(told);
  if (!connection) {
    ::close(fd);
    return;
  }
  Shard& shard = *shards_[adopted_++ % shards_.size()];
  shard.post([&shard, fd, connection = *connection] { shard.adopt(fd, connection); });
}

void GatewayImpl::release_unused() {
  builder_.release_unused();
  registry_.prune();
}

/// What this process has sealed by itself, before it knew those of the fleet, opens all the same.
void GatewayImpl::use_session_secrets() {
  std::vector<std::string> secrets = tls_.tickets().shared;
  secrets.push_back(session_secret_);
  builder_.use_session_secrets(std::move(secrets));
}

void GatewayImpl::set_shared_secrets(std::vector<std::string> secrets) {
  if (tls_.share(std::move(secrets))) {
    use_session_secrets();
    publish_tls(tls_.refresh(*config_).value_or(TlsMaterial::News{}));  // sessions need no file
  }
}

void GatewayImpl::publish_tls(const TlsMaterial::News& news) {
  open_stores(*config_);  // they go on, with the new files
  publish(build(config_), {}, {});
  if (news.files && audit_log_ != nullptr) {
    record_changes(*audit_log_, config_->generation, news.before, tls_.files());
  }
}

/// A file that is no good any more leaves what was read before in use.
void GatewayImpl::refresh_tls() {
  release_unused();  // a good occasion: it comes every few seconds
  if (const auto news = tls_.refresh(*config_)) {
    publish_tls(*news);
  }
}

/// The same config with another version of a plugin.
Result<PluginSwap, std::string> GatewayImpl::change_plugin(std::string_view name,
                                                           PluginChange change) {
  auto plan = change == PluginChange::kRollback
                  ? plugins_.plan_rollback(*config_, name)
                  : plugins_.plan_swap(*config_, name, change == PluginChange::kSwap);
  if (!plan) {
    std::string error = plugin::to_string(plan.error(), config_->source_path);
    plugins_.note_error(name, error);
    return Failure<std::string>{std::move(error)};
  }
  const auto digest = [&] { return plan_.libraries().find(name)->second->sha256(); };
  PluginSwap swap{.before = digest(), .after = {}};
  if (!plugins_.changed(*plan).empty()) {
    plan_ = std::move(*plan);
    publish(build(config_), {}, {});
    commit_plugins();
    release_unused();
  }
  swap.after = digest();
  return swap;
}

Duration GatewayImpl::sample_load() {
  const TimePoint now = std::chrono::steady_clock::now();
  const auto step = load_sampler_.sample(config_->overload, now);
  if (step) {
    for (const auto& shard : shards_) {
      shard->post([target = shard.get(), step = *step] { target->set_process_step(step); });
    }
  }
  for (const AcceptQueues::Change& change : accept_queues_.sample(config_->overload, now)) {
    Shard* const target = shards_[change.shard].get();
    target->post([target, step = change.step] { target->set_accept_step(step); });
  }
  return LoadSampler::interval(config_->overload);
}

GatewayStatus GatewayImpl::status() const {
  GatewayStatus status{
      .event_loop = event_loop_,
      .generation = config_->generation,
      .draining = draining_,
      .certificates = certificates(),
      .audit = audit_log_ != nullptr ? server::status_of(*audit_log_) : AuditStatus{},
      .plugins = plugins_.status(*config_),
      .overload = overload_status(config_->overload, registry_.overload()),
      .logouts = logouts_.status()};
  for (const auto& [name, store] : stores_) {
    status.stores.push_back(store->status());
  }
  for (const config::Listener& listener : config_->listeners) {
    if (const auto found = sockets_.all().find(listener.name); found != sockets_.all().end()) {
      status.listeners.push_back({.name = listener.name, .address = found->second.address});
    }
  }
  for (const config::Upstream& upstream : config_->upstreams) {
    status.upstreams.push_back(upstreams_.status_of(upstream));
  }
  add_decisions(*config_, registry_, status);
  for (const auto& [route, breaker] : builder_.route_breakers()) {
    status.route_circuits.push_back({.route = route, .circuit = server::status_of(*breaker)});
  }
  for (const auto& shard : shards_) {
    status.shards.push_back(server::status_of(shard->options()));
  }
  return status;
}

}  // namespace

Result<std::unique_ptr<Gateway>, std::string> Gateway::start(
    std::shared_ptr<const config::Config> config, Callbacks callbacks, Inheritance inherited) {
  auto gateway =
      std::make_unique<GatewayImpl>(std::move(config), std::move(callbacks), std::move(inherited));
  if (auto opened = gateway->open(); !opened) {
    return Failure<std::string>{opened.error()};
  }
  return std::unique_ptr<Gateway>(std::move(gateway));
}

}  // namespace hangu::server
