#include "server/shard.h"

#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#include <utility>

#include "hangu/base/log.h"
#include "hangu/base/signal_mask.h"
#include "hangu/http/websocket_frames.h"
#include "hangu/plugin/crash_report.h"

namespace hangu::server {
namespace {

constexpr uint32_t kReceiveBlockBytes = 64 * 1024;
constexpr uint32_t kSmallBlockBytes = 2 * 1024;
constexpr uint32_t kSmallBlocksMax = 1 << 20;  // 2 GiB of address space; memory is touched lazily
constexpr Duration kDrainCheckInterval = std::chrono::milliseconds(20);
constexpr Duration kLastLookAfter = std::chrono::milliseconds(4);  // a few turns

void pin_to(int cpu, uint32_t shard) {
  if (cpu < 0) {
    return;
  }
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(static_cast<size_t>(cpu), &set);
  if (pthread_setaffinity_np(pthread_self(), sizeof set, &set) != 0) {
    log::warning("event=pin_failed shard={} cpu={}", shard, cpu);
  }
}

event::BackendKind to_backend(config::EventLoopKind kind) {
  switch (kind) {
    case config::EventLoopKind::kAuto: return event::BackendKind::kAuto;
    case config::EventLoopKind::kIoUring: return event::BackendKind::kIoUring;
    case config::EventLoopKind::kEpoll: return event::BackendKind::kEpoll;
  }
  return event::BackendKind::kAuto;
}

}  // namespace

struct Shard::Core {
  struct DrainTimer final : event::Timer {
    explicit DrainTimer(Shard& owner)
        : shard(owner) {}

    void on_timer() noexcept override { shard.check_drained(); }

    Shard& shard;
  };

  struct EndTimer final : event::Timer {
    explicit EndTimer(Shard& owner)
        : shard(owner) {}

    void on_timer() noexcept override { shard.end_listeners(); }

    Shard& shard;
  };

  Core(Shard& shard, const ShardOptions& options)
      : receive_blocks({.block_bytes = kReceiveBlockBytes,
                        .blocks_max = static_cast<uint32_t>(options.buffers.receive_bytes_max /
                                                            kReceiveBlockBytes)}),
        small_blocks({.block_bytes = kSmallBlockBytes, .blocks_max = kSmallBlocksMax}),
        compressors(options.buffers.compression_bytes_max),
        drain_timer(shard),
        end_timer(shard) {}

  void open(filter::ShardContext& shard, LoadMonitor::Handler& monitored,
            const ShardOptions& options) {
    shared = std::make_unique<upstream::Shared>(*loop, small_blocks, receive_blocks, options.id,
                                                options.buffers.write_high_watermark,
                                                options.buffers.write_low_watermark);
    shared->node_seed = options.node_seed;
    proxy = std::make_unique<proxy::Proxy>(*loop, options.stats->timeouts);
    sessions = std::make_unique<downstream::SessionTable>(
        *loop, shard, options.buffers.write_high_watermark, options.buffers.write_low_watermark);
    load = std::make_unique<LoadMonitor>(*loop, *options.stats, options.id, monitored);
  }

  // In order of construction; the reverse is the order in which they may go.
  buffer::BlockPool receive_blocks;
  buffer::BlockPool small_blocks;
  filter::Compressors compressors;
  std::unique_ptr<event::Loop> loop;
  std::unique_ptr<upstream::Shared> shared;
  std::unique_ptr<proxy::Proxy> proxy;
  std::vector<std::unique_ptr<ListenerState>> listeners;
  std::unique_ptr<downstream::SessionTable> sessions;
  filter::SnapshotRef snapshot;
  std::vector<std::shared_ptr<ClusterStore>> stores;  // that the shard is attached to
  DrainTimer drain_timer;
  EndTimer end_timer;
  std::unique_ptr<LoadMonitor> load;
  plugin::SignalStack signal_stack;  // in use with plugins only
  bool draining = false;
};

Shard::Shard(ShardOptions options)
    : options_(std::move(options)) {}

Shard::~Shard() {
  stop();
}

Result<std::string_view> Shard::start() {
  std::promise<Result<std::string_view>> ready;
  auto answer = ready.get_future();
  thread_ = std::thread([this, &ready] { run(ready); });
  return answer.get();
}

void Shard::run(std::promise<Result<std::string_view>>& ready) {
  pin_to(options_.cpu, options_.id);
  const std::string name = fmt::format("hangu-shard-{}", options_.id);
  pthread_setname_np(pthread_self(), name.c_str());
  block_asynchronous_signals();
  core_ = std::make_unique<Core>(*this, options_);
  auto loop = event::Loop::create({.backend = to_backend(options_.event_loop),
                                   .receive_blocks = core_->receive_blocks,
                                   .small_blocks = &core_->small_blocks});
  if (!loop) {
    core_.reset();
    ready.set_value(fail(loop.error()));
    return;
  }
  core_->loop = std::move(*loop);
  core_->open(*this, *this, options_);
  ready.set_value(core_->loop->backend_name());
  core_->loop->run();
  for (const auto& state : core_->listeners) {
    state->listeners.clear();
  }
  core_->sessions->close_all();
  core_->loop->run_until_idle();
  may_end_.acquire();
  for (const auto& store : core_->stores) {
    store->detach(options_.id);
  }
  core_.reset();
}

void Shard::post(event::Task task) {
  if (core_ != nullptr) {
    core_->loop->mailbox().post(std::move(task));
  }
}

void Shard::stop() {
  if (thread_.joinable()) {
    if (core_ != nullptr) {
      core_->loop->stop();
      may_end_.release();
    }
    thread_.join();
  }
}

TimePoint Shard::now() const noexcept {
  return core_->loop->now();
}

WallTime Shard::wall_time() const noexcept {
  return core_->loop->wall_time();
}

filter::Terminal& Shard::terminal() noexcept {
  return *core_->proxy;
}

buffer::BlockPool& Shard::small_blocks() noexcept {
  return core_->small_blocks;
}

buffer::BlockPool& Shard::large_blocks() noexcept {
  return core_->receive_blocks;
}

filter::Compressors& Shard::compressors() noexcept {
  return core_->compressors;
}

filter::Mirrors& Shard::mirrors() noexcept {
  return core_->proxy->mirrors();
}

filter::Callouts& Shard::callouts() noexcept {
  return core_->proxy->callouts();
}

event::Timers& Shard::timers() noexcept {
  return core_->loop->timers();
}

void Shard::defer(event::Deferred& work) noexcept {
  core_->loop->defer(work);
}

void Shard::queue_costly(event::Costly& work) noexcept {
  core_->loop->queue_costly(work);
}

// --- config -----------------------------------------------------------------------------------

void Shard::apply(ShardUpdate update) {
  for (const auto& store : update.stores) {
    store->attach(options_.id, *core_->loop, *this);
    if (std::find(core_->stores.begin(), core_->stores.end(), store) == core_->stores.end()) {
      core_->stores.push_back(store);
    }
  }
  if (!update.snapshot->config->plugins.empty()) {
    core_->signal_stack.open();
  }
  core_->snapshot = filter::SnapshotRef(update.snapshot);
  for (const ClusterUpdate& cluster : update.clusters) {
    apply_cluster(cluster);
  }
  apply_listeners(update);
  core_->load->configure(update.snapshot->config->overload);
  follow_step();
  options_.stats->generation.set(update.snapshot->config->generation);
}

void Shard::apply_cluster(const ClusterUpdate& update) {
  upstream::Cluster* cluster = core_->proxy->cluster(update.number);
  if (cluster == nullptr) {
    core_->proxy->set_cluster(update.number, std::make_unique<upstream::Cluster>(
                                                 *core_->shared, update.stats, update.breaker,
                                                 update.version, update.limits));
    cluster = core_->proxy->cluster(update.number);
  }
  cluster->configure(update.config, update.tls);
  if (update.adaptive != nullptr) {
    cluster->set_adaptive_limit(update.adaptive);
  }
  if (update.replace_endpoints) {
    cluster->set_endpoints(update.endpoints);
  }
}

void Shard::apply_listeners(ShardUpdate& update) {
  for (const auto& state : core_->listeners) {
    if (const auto* runtime = core_->snapshot->find_listener(state->name);
        runtime != nullptr && !state->removed) {
      state->context.update(core_->snapshot, *runtime);
    }
  }
  const config::ReloadWindow& window = core_->snapshot->config->reload;
  for (const RemovedListener& removed : update.removed) {
    remove_listener(removed, {.within = window.drain_timeout,
                              .spread = window.ws_spread,
                              .close_code = http::kCloseServiceRestart});
  }
  std::erase_if(core_->listeners, [this](const auto& state) {
    const bool gone = state->removed && !state->ending && state->context.sessions == 0;
    if (gone) {
      core_->sessions->forget(state->context);
    }
    return gone;
  });
  for (const ListenerSocket& socket : update.added) {
    ListenerState* state = find_listener(socket.name);
    if (state == nullptr) {
      state =
          core_->listeners.emplace_back(std::make_unique<ListenerState>(*this, socket.name)).get();
      state->context.update(core_->snapshot, *core_->snapshot->find_listener(socket.name));
    }
    state->listeners.push_back(std::make_unique<net::Listener>(*core_->loop, socket.fd, *state));
  }
}

Shard::ListenerState* Shard::find_listener(std::string_view name) const {
  for (const auto& state : core_->listeners) {
    if (state->name == name && !state->removed) {
      return state.get();
    }
  }
  return nullptr;
}

void Shard::ListenerState::stop() noexcept {
  for (const auto& listener : listeners) {
    listener->drain_backlog();
  }
}

void Shard::ListenerState::end() noexcept {
  stop();
  listeners.clear();
  ending = false;
}

/// A socket that others accept from, too, is looked at once more when the kernel has done with us:
/// it wakes one of them for each connection, and those of whom it told us nobody else hears.
void Shard::remove_listener(const RemovedListener& removed, const downstream::Leave& leave) {
  ListenerState* const state = find_listener(removed.name);
  if (state == nullptr) {
    return;
  }
  state->stop();
  state->removed = true;
  if (removed.goes_on) {
    state->ending = true;
    core_->end_timer.arm(core_->loop->timers(), kLastLookAfter);
  } else {
    state->end();
  }
  core_->sessions->drain(state->context, leave);
}

void Shard::end_listeners() noexcept {
  for (const auto& state : core_->listeners) {
    if (state->ending) {
      state->end();
    }
  }
}

void Shard::adopt(int fd, const IdleConnection& connection) {
  ListenerState* state = find_listener(connection.listener);
  // What came in the clear goes on so only where that is still the rule.
  if (state == nullptr || state->context.runtime->tls != nullptr) {
    ::close(fd);
    return;
  }
  core_->sessions->adopt(fd, connection.peer, connection.requests, state->context);
}

void Shard::set_endpoints(uint32_t number,
                          const std::vector<upstream::EndpointAddress>& endpoints) {
  if (upstream::Cluster* cluster = core_->proxy->cluster(number)) {
    cluster->set_endpoints(endpoints);
  }
}

void Shard::accept(ListenerState& listener, int fd, const net::Address& peer) noexcept {
  const uint32_t limit = listener.context.runtime->config->connections_max;
  if (limit != 0 && listener.context.sessions >= limit) {
    options_.stats->connections_refused.add();
    ::close(fd);
    return;
  }
  core_->sessions->accept(fd, peer, listener.context);
}

// --- overload ---------------------------------------------------------------------------------

void Shard::set_process_step(policy::OverloadStep step) {
  core_->load->set_process_step(step);
}

void Shard::set_accept_step(policy::OverloadStep step) {
  core_->load->set_accept_step(step);
}

void Shard::on_step(policy::OverloadStep) noexcept {
  follow_step();
}

/// New connections wait in the kernel's backlog while the last step is in force.
void Shard::follow_step() noexcept {
  const config::Overload& overload = core_->snapshot->config->overload;
  const bool stop =
      overload.mode == config::Mode::kEnforce && core_->load->step() == policy::OverloadStep::kStop;
  for (const auto& state : core_->listeners) {
    for (const auto& listener : state->listeners) {
      if (stop) {
        listener->pause();
      } else if (!core_->draining) {
        listener->resume();
      }
    }
  }
}

void Shard::on_shrink() noexcept {
  if (core_->snapshot->config->overload.mode == config::Mode::kEnforce) {
    core_->sessions->shrink();
  }
}

void Shard::take_password_answer(const filter::PasswordAnswer& answer) {
  filter::take_password_answer(answer, handles());
}

void Shard::take_keys(filter::JwtKeys& keys, bool changed, identity::Issuer issuer) {
  if (changed) {
    keys.take(options_.id, std::move(issuer));
  }
  keys.answer_waiters(options_.id, handles());
}

// --- the end ----------------------------------------------------------------------------------

/// With a successor, who has the same sockets, what comes from now on is for him.
void Shard::drain(const downstream::Leave& leave) {
  core_->draining = true;
  for (const auto& state : core_->listeners) {
    state->stop();
    state->ending = true;
  }
  core_->sessions->drain(leave);
  core_->end_timer.arm(core_->loop->timers(), kLastLookAfter);
  core_->drain_timer.arm(core_->loop->timers(), kDrainCheckInterval);
}

void Shard::check_drained() noexcept {
  end_listeners();
  if (core_->sessions->size() == 0) {
    options_.on_drained();
  } else {
    core_->drain_timer.arm(core_->loop->timers(), kDrainCheckInterval);
  }
}

}  // namespace hangu::server
