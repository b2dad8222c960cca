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
#include "hangu/audit/log_writer.h"
#include "hangu/base/log.h"
#include "hangu/filter/plugin_filter.h"
#include "hangu/net/listener.h"
#include "hangu/plugin/store.h"

#include "server/accept_queues.h"
#include "server/adaptive_limits.h"
#include "server/audit_log_options.h"
#include "server/certificate_records.h"
#include "server/cpus.h"
#include "server/endpoint_list.h"
#include "server/limit_status.h"
#include "server/load_sampler.h"
#include "server/part_status.h"
#include "server/password_worker.h"
#include "server/random.h"
#include "server/shard.h"
#include "server/snapshot_builder.h"

namespace hangu::server {
namespace {

int64_t steady_now_ns() {
  return std::chrono::steady_clock::now().time_since_epoch().count();
}

class GatewayImpl final : public Gateway, private filter::JwtKeys::Fetcher {
 public:
  GatewayImpl(std::shared_ptr<const config::Config> config, Callbacks callbacks)
      : config_(std::move(config)),
        callbacks_(std::move(callbacks)),
        registry_(worker_count(*config_)),
        quotas_(config_->state_dir),
        builder_(registry_, quotas_, *this, passwords_),
        plugins_({.folder = config_->state_dir + "/plugins",
                  .functions = &filter::plugin_functions(),
                  .workers = registry_.shards()},
                 registry_) {}

  ~GatewayImpl() override {
    passwords_.stop();
    for (const auto& shard : shards_) {
      shard->stop();
    }
    for (const auto& [name, store] : stores_) {
      store->stop();
    }
    quotas_.stop();
  }

  Result<void, std::string> open();

  Result<ReloadReport, std::string> apply(std::shared_ptr<const config::Config> config) override;
  void set_endpoints(std::string_view upstream, std::vector<ResolvedEndpoint> endpoints) override;
  std::vector<EndpointHandle> endpoints(std::string_view upstream) const override;
  std::shared_ptr<const tls::ClientContext> client_tls(std::string_view upstream) const override;
  void set_keys(const std::string& authenticator, bool changed, identity::Issuer issuer) override;
  void begin_drain() override;
  void reopen_logs() override;
  void refresh_tls() override;
  Duration sample_load() override;
  Result<PluginSwap, std::string> change_plugin(std::string_view name,
                                                PluginChange change) override;

  std::vector<std::string> changed_plugins() override { return plugins_.changed_files(*config_); }

  GatewayStatus status() const override;

  stats::Registry& registry() override { return registry_; }

  audit::AuditLog* audit_log() override { return audit_log_.get(); }

  std::shared_ptr<const config::Config> config() const override { return config_; }

 private:
  /// The sockets of one listener: one a shard, or the same one for all on a Unix socket.
  struct BoundListener {
    std::string address;
    std::vector<int> sockets;
  };

  using BoundListeners = std::map<std::string, BoundListener>;

  /// What the node knows of the health of an upstream's endpoints.
  struct Pool {
    std::shared_ptr<policy::PoolVersion> version = std::make_shared<policy::PoolVersion>();
    std::map<std::string, std::shared_ptr<policy::EndpointHealth>, std::less<>> endpoints;
    std::map<std::string, std::shared_ptr<policy::ConnectionBudget>, std::less<>> connections;
  };

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
  Result<BoundListener, std::string> bind(const config::Listener& listener);
  Result<BoundListeners, std::string> bind_added(const config::Config& config);
  static void close_sockets(const BoundListeners& listeners);
  Result<void, std::string> open_access_log(const config::Config& config);
  Result<void, std::string> open_audit_log();

  Logs logs() const { return {.access = access_log_, .audit = audit_log_.get()}; }

  std::vector<upstream::EndpointAddress> to_addresses(
      std::string_view upstream, const std::vector<ResolvedEndpoint>& resolved);
  config::Upstream completed(config::Upstream upstream);
  void forgive(const config::Upstream& upstream);
  std::shared_ptr<policy::CircuitBreaker> breaker(const std::string& upstream);
  std::shared_ptr<upstream::NodeLimits> limits(const config::Upstream& upstream);
  UpstreamStatus status_of(const config::Upstream& upstream) const;
  CircuitStatus circuit_of(const config::Upstream& upstream) const;
  std::vector<ClusterUpdate> cluster_updates(const config::Config& config);
  void open_stores(const config::Config& config);
  Result<void, std::string> load_certificates(const config::Config& config);

  std::shared_ptr<const filter::Snapshot> build(std::shared_ptr<const config::Config> config) {
    return builder_.build(std::move(config), logs(), tls_, {.stores = &stores_, .plugins = &plan_});
  }

  void commit_plugins() { plugins_.commit(*config_, plan_, std::chrono::system_clock::now()); }

  void release_unused();
  void publish(std::shared_ptr<const filter::Snapshot> snapshot, const BoundListeners& added,
               const std::vector<std::string>& removed);

  std::shared_ptr<const config::Config> config_;
  Callbacks callbacks_;
  stats::Registry registry_;
  QuotaSaver quotas_;
  PasswordWorker passwords_{[this](filter::PasswordAnswer answer) {
    Shard& shard = *shards_[answer.question.shard];
    shard.post([&shard, answer = std::move(answer)] { shard.take_password_answer(answer); });
  }};
  SnapshotBuilder builder_;
  plugin::Store plugins_;
  plugin::Plan plan_;  // of them, in force
  TlsContexts tls_;
  TicketKeyMap ticket_keys_;
  std::map<std::string, int64_t> tls_files_;  // as they were read
  // Replaced logs are kept: streams of older generations may still write to them.
  std::vector<std::unique_ptr<audit::LogWriter>> access_logs_;
  audit::LogWriter* access_log_ = nullptr;
  ClusterStores stores_;
  std::vector<std::shared_ptr<ClusterStore>> stores_before_;  // streams may still know them
  std::unique_ptr<audit::AuditLog> audit_log_;
  std::vector<std::unique_ptr<Shard>> shards_;
  std::map<std::string, std::string> listener_addresses_;  // name → as bound
  std::map<std::string, std::vector<ResolvedEndpoint>, std::less<>> resolved_;
  std::map<std::string, std::shared_ptr<policy::CircuitBreaker>, std::less<>> breakers_;
  std::map<std::string, Pool, std::less<>> pools_;  // by upstream
  std::string sticky_secret_;                       // where the config has none
  std::map<std::string, std::shared_ptr<upstream::NodeLimits>, std::less<>> limits_;
  AdaptiveLimits adaptive_limits_{registry_.shards()};
  LoadSampler load_sampler_{registry_.overload()};
  AcceptQueues accept_queues_{registry_};
  std::string event_loop_;
  std::atomic<uint32_t> shards_draining_{0};
  bool draining_ = false;
};

Result<void, std::string> GatewayImpl::open() {
  if (auto loaded = load_certificates(*config_); !loaded) {
    return loaded;
  }
  auto plan = plugins_.plan(*config_);
  if (!plan) {
    return Failure<std::string>{plugin::to_string(plan.error(), config_->source_path)};
  }
  BoundListeners bound;
  for (const config::Listener& listener : config_->listeners) {
    auto sockets = bind(listener);
    if (!sockets) {
      return Failure<std::string>{sockets.error()};
    }
    listener_addresses_[listener.name] = sockets->address;
    bound[listener.name] = std::move(*sockets);
  }
  if (auto started = start_shards(); !started) {
    return started;
  }
  if (auto opened = open_access_log(*config_); !opened) {
    return opened;
  }
  open_stores(*config_);
  if (auto opened = open_audit_log(); !opened) {
    return opened;
  }
  plan_ = std::move(*plan);
  publish(build(config_), bound, {});
  commit_plugins();
  return {};
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

Result<GatewayImpl::BoundListener, std::string> GatewayImpl::bind(
    const config::Listener& listener) {
  const auto wanted = net::Address::parse(listener.bind.text);
  if (!wanted) {
    return Failure<std::string>{
        fmt::format("listener {}: bad address {}", listener.name, listener.bind.text)};
  }
  const uint32_t count = worker_count(*config_);
  BoundListener bound;
  net::Address address = *wanted;
  const uint32_t sockets = address.is_unix() ? 1 : count;
  for (uint32_t i = 0; i < sockets; ++i) {
    const auto fd = net::listen_on(address, {.backlog = listener.backlog, .reuse_port = true});
    if (!fd) {
      for (const int open : bound.sockets) {
        ::close(open);
      }
      return Failure<std::string>{
          fmt::format("listener {}: cannot bind {}: {}", listener.name, listener.bind.text,
                      std::generic_category().message(fd.error().sys_errno))};
    }
    bound.sockets.push_back(*fd);
    if (i == 0) {
      address = net::local_address(*fd);
    }
  }
  while (bound.sockets.size() < count) {
    bound.sockets.push_back(::dup(bound.sockets.front()));
  }
  bound.address = address.to_string();
  return bound;
}

/// On failure those in use stay.
Result<void, std::string> GatewayImpl::load_certificates(const config::Config& config) {
  auto loaded = load_tls(config, ticket_keys_, std::time(nullptr));
  if (!loaded) {
    std::string text;
    for (const TlsProblem& problem : loaded.error()) {
      text += (text.empty() ? "" : "; ") + to_string(problem);
    }
    return Failure<std::string>{text};
  }
  tls_ = std::move(*loaded);
  tls_files_ = tls_files(config);
  for (const std::string& warning : expiry_warnings(tls_, kExpiryWarningDays, std::time(nullptr))) {
    log::warning("event=certificate_expiry {}", warning);
  }
  return {};
}

/// On failure the log in use stays.
Result<void, std::string> GatewayImpl::open_access_log(const config::Config& config) {
  const config::AccessLog& wanted = config.access_log;
  if (!wanted.enabled) {
    access_log_ = nullptr;
    return {};
  }
  for (const auto& open : access_logs_) {
    if (open->options().path == wanted.path && open->options().ring_bytes == wanted.queue_bytes) {
      access_log_ = open.get();
      return {};
    }
  }
  auto writer = std::make_unique<audit::LogWriter>(
      audit::LogWriterOptions{.path = wanted.path,
                              .shards = static_cast<uint32_t>(shards_.size()),
                              .ring_bytes = wanted.queue_bytes});
  if (const auto opened = writer->start(); !opened) {
    return Failure<std::string>{
        fmt::format("access log: cannot open {}: {}", wanted.path,
                    std::generic_category().message(opened.error().sys_errno))};
  }
  access_log_ = writer.get();
  access_logs_.push_back(std::move(writer));
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

std::vector<upstream::EndpointAddress> GatewayImpl::to_addresses(
    std::string_view upstream, const std::vector<ResolvedEndpoint>& resolved) {
  Pool& pool = pools_[std::string(upstream)];
  const auto unused = [](const auto& entry) { return entry.second.use_count() == 1; };
  std::erase_if(pool.endpoints, unused);
  std::erase_if(pool.connections, unused);
  const int64_t since = pool.endpoints.empty() ? 0 : steady_now_ns();
  std::vector<upstream::EndpointAddress> addresses;
  for (const ResolvedEndpoint& endpoint : resolved) {
    const auto address = net::Address::parse(endpoint.address);
    if (!address) {
      log::error("event=bad_endpoint address={}", endpoint.address);
      continue;
    }
    auto& health = pool.endpoints[endpoint.address];
    if (health == nullptr) {
      health = std::make_shared<policy::EndpointHealth>(pool.version, registry_.shards(), since);
    }
    auto& connections = pool.connections[endpoint.address];
    if (connections == nullptr) {
      connections = std::make_shared<policy::ConnectionBudget>();
    }
    addresses.push_back({.address = *address,
                         .host = endpoint.host,
                         .health = health,
                         .connections = connections,
                         .weight = endpoint.weight,
                         .priority = endpoint.priority});
  }
  return addresses;
}

/// Those of the config; one that has changed is made anew.
void GatewayImpl::open_stores(const config::Config& config) {
  ClusterStores wanted;
  for (const config::Store& store : config.stores) {
    const auto tls_of = tls_.stores.find(store.name);
    const auto tls = tls_of != tls_.stores.end() ? tls_of->second : nullptr;
    const auto found = stores_.find(store.name);
    if (found != stores_.end() && found->second->config() == store) {
      found->second->set_tls(tls);
      wanted[store.name] = found->second;
      continue;
    }
    auto opened = std::make_shared<ClusterStore>(store, tls, registry_.shards(),
                                                 registry_.store(store.name), Random().next());
    opened->start();
    wanted[store.name] = std::move(opened);
  }
  for (const auto& [name, store] : stores_) {
    if (const auto kept = wanted.find(name); kept == wanted.end() || kept->second != store) {
      store->stop();
      stores_before_.push_back(store);
    }
  }
  stores_ = std::move(wanted);
}

std::vector<EndpointHandle> GatewayImpl::endpoints(std::string_view upstream) const {
  const auto resolved = resolved_.find(upstream);
  const auto pool = pools_.find(upstream);
  std::vector<EndpointHandle> handles;
  if (resolved == resolved_.end() || pool == pools_.end()) {
    return handles;
  }
  for (const ResolvedEndpoint& endpoint : resolved->second) {
    const auto health = pool->second.endpoints.find(endpoint.address);
    if (health != pool->second.endpoints.end()) {
      handles.push_back({.endpoint = endpoint, .health = health->second});
    }
  }
  return handles;
}

std::shared_ptr<const tls::ClientContext> GatewayImpl::client_tls(std::string_view upstream) const {
  const auto found = tls_.upstreams.find(std::string(upstream));
  return found != tls_.upstreams.end() ? found->second : nullptr;
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

/// Nobody stays ejected whom nobody would eject any more.
void GatewayImpl::forgive(const config::Upstream& upstream) {
  if (upstream.ejection.enabled && upstream.ejection.mode == config::Mode::kEnforce) {
    return;
  }
  for (const auto& [address, health] : pools_[upstream.name].endpoints) {
    health->end_ejection(steady_now_ns());
  }
}

/// Keeps its state over reloads.
std::shared_ptr<policy::CircuitBreaker> GatewayImpl::breaker(const std::string& upstream) {
  std::shared_ptr<policy::CircuitBreaker>& breaker = breakers_[upstream];
  if (breaker == nullptr) {
    breaker = std::make_shared<policy::CircuitBreaker>(registry_.shards());
  }
  return breaker;
}

/// What is under way counts on over reloads.
std::shared_ptr<upstream::NodeLimits> GatewayImpl::limits(const config::Upstream& upstream) {
  std::shared_ptr<upstream::NodeLimits>& limits = limits_[upstream.name];
  if (limits == nullptr) {
    limits = std::make_shared<upstream::NodeLimits>(registry_.shards());
  }
  publish_limits(upstream.limits, *registry_.upstream(upstream.name));
  return limits;
}

std::vector<ClusterUpdate> GatewayImpl::cluster_updates(const config::Config& config) {
  std::vector<ClusterUpdate> updates;
  for (const config::Upstream& upstream : config.upstreams) {
    std::vector<ResolvedEndpoint> numeric = numeric_endpoints(upstream);
    const bool known = !numeric.empty();
    if (known) {
      resolved_[upstream.name] = numeric;
    }
    forgive(upstream);
    updates.push_back({.number = builder_.cluster_number(upstream.name),
                       .config = completed(upstream),
                       .tls = client_tls(upstream.name),
                       .stats = registry_.upstream(upstream.name),
                       .breaker = breaker(upstream.name),
                       .version = pools_[upstream.name].version,
                       .limits = limits(upstream),
                       .adaptive = adaptive_limits_.of(upstream),
                       .endpoints = to_addresses(upstream.name, numeric),
                       .replace_endpoints = known});
  }
  return updates;
}

void GatewayImpl::publish(std::shared_ptr<const filter::Snapshot> snapshot,
                          const BoundListeners& added, const std::vector<std::string>& removed) {
  for (const std::string& name : removed) {
    accept_queues_.forget(name);  // from here on its sockets are closed
  }
  const std::vector<ClusterUpdate> clusters = cluster_updates(*snapshot->config);
  std::vector<std::future<void>> applied;
  for (const auto& shard : shards_) {
    ShardUpdate update{
        .snapshot = snapshot, .clusters = clusters, .stores = {}, .added = {}, .removed = removed};
    for (const auto& [name, store] : stores_) {
      update.stores.push_back(store);
    }
    for (const auto& [name, listener] : added) {
      update.added.push_back({.name = name, .fd = listener.sockets[shard->options().id]});
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
  for (const auto& [name, listener] : added) {
    accept_queues_.add(name, listener.sockets);
  }
}

/// Whether a listener of `where` can keep its socket.
bool keeps_socket(const config::Config& where, const config::Listener& listener) {
  return std::any_of(where.listeners.begin(), where.listeners.end(),
                     [&](const config::Listener& other) {
                       return other.name == listener.name && other.bind == listener.bind &&
                              other.backlog == listener.backlog;
                     });
}

void GatewayImpl::close_sockets(const BoundListeners& listeners) {
  for (const auto& [name, listener] : listeners) {
    std::for_each(listener.sockets.begin(), listener.sockets.end(), [](int fd) { ::close(fd); });
  }
}

Result<GatewayImpl::BoundListeners, std::string> GatewayImpl::bind_added(
    const config::Config& config) {
  BoundListeners added;
  for (const config::Listener& listener : config.listeners) {
    if (keeps_socket(*config_, listener)) {
      continue;
    }
    auto bound = bind(listener);
    if (!bound) {
      close_sockets(added);
      return Failure<std::string>{bound.error()};
    }
    added[listener.name] = std::move(*bound);
  }
  return added;
}

Result<ReloadReport, std::string> GatewayImpl::apply(std::shared_ptr<const config::Config> config) {
  auto plan = plugins_.plan(*config);
  if (!plan) {
    return Failure<std::string>{plugin::to_string(plan.error(), config->source_path)};
  }
  const TlsContexts tls_before = tls_;
  if (auto loaded = load_certificates(*config); !loaded) {
    return Failure<std::string>{loaded.error()};
  }
  audit::LogWriter* const log_before = access_log_;
  if (auto opened = open_access_log(*config); !opened) {
    tls_ = tls_before;
    return Failure<std::string>{opened.error()};
  }
  auto added = bind_added(*config);
  if (!added) {
    tls_ = tls_before;
    access_log_ = log_before;
    return Failure<std::string>{added.error()};
  }
  ReloadReport report{.generation = config->generation};
  for (const config::Listener& listener : config_->listeners) {
    if (!keeps_socket(*config, listener)) {
      report.listeners_removed.push_back(listener.name);
      listener_addresses_.erase(listener.name);
    }
  }
  for (const auto& [name, listener] : *added) {
    report.listeners_added.push_back(name);
    listener_addresses_[name] = listener.address;
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
  const auto addresses = to_addresses(upstream, endpoints);
  resolved_.insert_or_assign(std::string(upstream), std::move(endpoints));
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

void GatewayImpl::begin_drain() {
  if (std::exchange(draining_, true)) {
    return;
  }
  accept_queues_.forget_all();
  shards_draining_ = static_cast<uint32_t>(shards_.size());
  for (const auto& shard : shards_) {
    shard->post([target = shard.get()] { target->drain(); });
  }
}

void GatewayImpl::release_unused() {
  builder_.release_unused();
  registry_.prune();
}

/// A file that is no good any more leaves what was read before in use.
void GatewayImpl::refresh_tls() {
  release_unused();  // a good occasion: it comes every few seconds
  const bool changed = tls_files(*config_) != tls_files_;
  if (!changed && !rotation_due(*config_, ticket_keys_, std::time(nullptr))) {
    return;
  }
  const std::map<std::string, int64_t> before = tls_files_;
  if (const auto loaded = load_certificates(*config_); !loaded) {
    tls_files_ = tls_files(*config_);  // said once
    log::error("event=certificates_not_loaded error=\"{}\"", loaded.error());
    return;
  }
  open_stores(*config_);  // they go on, with the new files
  publish(build(config_), {}, {});
  if (changed) {
    log::info("event=certificates_loaded files={}", tls_files_.size());
    if (audit_log_ != nullptr) {
      record_changes(*audit_log_, config_->generation, before, tls_files_);
    }
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

void GatewayImpl::reopen_logs() {
  for (const auto& writer : access_logs_) {
    writer->reopen();
  }
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

UpstreamStatus GatewayImpl::status_of(const config::Upstream& upstream) const {
  UpstreamStatus status{.name = upstream.name,
                        .endpoints = {},
                        .circuit = circuit_of(upstream),
                        .adaptive = adaptive_limits_.status(upstream),
                        .admission = {},
                        .levels = {},
                        .limits = {}};
  if (const auto limits = limits_.find(upstream.name); limits != limits_.end()) {
    add_limits(*limits->second, upstream.limits, status);
  }
  const int64_t now_ns = steady_now_ns();
  const std::vector<EndpointHandle> handles = endpoints(upstream.name);
  for (const EndpointHandle& handle : handles) {
    const policy::EndpointHealth& health = *handle.health;
    status.endpoints.push_back({.address = handle.endpoint.address,
                                .host = handle.endpoint.host,
                                .weight = handle.endpoint.weight,
                                .priority = handle.endpoint.priority,
                                .order = policy::to_string(health.order()),
                                .check = policy::to_string(health.check()),
                                .ejected_for = Duration(health.ejected_for_ns(now_ns))});
  }
  status.levels = levels_of(upstream, handles, now_ns);
  return status;
}

CircuitStatus GatewayImpl::circuit_of(const config::Upstream& upstream) const {
  const auto found = breakers_.find(upstream.name);
  const bool has_one = upstream.circuit_breaker.enabled && found != breakers_.end();
  return has_one ? server::status_of(*found->second) : CircuitStatus{};
}

GatewayStatus GatewayImpl::status() const {
  GatewayStatus status{
      .event_loop = event_loop_,
      .generation = config_->generation,
      .draining = draining_,
      .listeners = {},
      .certificates = {},
      .upstreams = {},
      .rate_limits = {},
      .concurrency_limits = {},
      .bandwidth_limits = {},
      .stores = {},
      .route_circuits = {},
      .shards = {},
      .audit = audit_log_ != nullptr ? server::status_of(*audit_log_) : AuditStatus{},
      .plugins = plugins_.status(*config_),
      .overload = overload_status(config_->overload, registry_.overload())};
  for (const auto& [name, store] : stores_) {
    status.stores.push_back(store->status());
  }
  for (const config::Listener& listener : config_->listeners) {
    status.listeners.push_back(
        {.name = listener.name, .address = listener_addresses_.at(listener.name)});
  }
  for (const auto& [listener, context] : tls_.listeners) {
    for (const tls::CertificateInfo& info : context->certificates()) {
      status.certificates.push_back({.listener = listener, .info = info});
    }
  }
  for (const config::Upstream& upstream : config_->upstreams) {
    status.upstreams.push_back(status_of(upstream));
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
    std::shared_ptr<const config::Config> config, Callbacks callbacks) {
  auto gateway = std::make_unique<GatewayImpl>(std::move(config), std::move(callbacks));
  if (auto opened = gateway->open(); !opened) {
    return Failure<std::string>{opened.error()};
  }
  return std::unique_ptr<Gateway>(std::move(gateway));
}

}  // namespace hangu::server
