// Shard: one core's worth of gateway: a pinned thread with its loop, its block pools, its sessions,
// its upstream connections. Everything but the constructor, `start`, `post` and `join` runs on that
// thread. Shards share nothing but the snapshot and the statistics slots.
#pragma once

#include <future>
#include <memory>
#include <semaphore>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "hangu/buffer/block.h"
#include "hangu/config/config.h"
#include "hangu/downstream/session_table.h"
#include "hangu/event/loop.h"
#include "hangu/event/mailbox.h"
#include "hangu/filter/jwt_keys.h"
#include "hangu/filter/password_checker.h"
#include "hangu/filter/stream.h"
#include "hangu/net/listener.h"
#include "hangu/proxy/proxy.h"
#include "hangu/server/gateway.h"
#include "hangu/stats/registry.h"

#include "server/cluster_store.h"
#include "server/idle_connections.h"
#include "server/load_monitor.h"
#include "server/random.h"

namespace hangu::server {

/// How one upstream looks to a shard after a change.
struct ClusterUpdate {
  uint32_t number = 0;
  config::Upstream config;
  std::shared_ptr<const tls::ClientContext> tls;  // nullptr: none
  std::shared_ptr<stats::UpstreamStats> stats;
  std::shared_ptr<policy::CircuitBreaker> breaker;
  std::shared_ptr<const policy::PoolVersion> version;  // of its endpoints' health
  std::shared_ptr<upstream::NodeLimits> limits;
  std::shared_ptr<policy::AdaptiveLimit> adaptive;  // nullptr: none is asked for
  std::vector<upstream::EndpointAddress> endpoints;
  bool replace_endpoints = true;  // false: DNS has not answered yet, keep what there is
};

/// A bound socket for one listener on one shard; the shard owns the descriptor from then on.
struct ListenerSocket {
  std::string name;
  int fd = -1;
};

struct RemovedListener {
  std::string name;
  bool goes_on = false;  // another listener has the same sockets
};

/// One config generation, as sent to a shard.
struct ShardUpdate {
  std::shared_ptr<const filter::Snapshot> snapshot;
  std::vector<ClusterUpdate> clusters;
  std::vector<std::shared_ptr<ClusterStore>> stores;
  std::vector<ListenerSocket> added;
  std::vector<RemovedListener> removed;
};

struct ShardOptions {
  uint32_t id = 0;
  int cpu = -1;  // -1: not pinned
  config::EventLoopKind event_loop = config::EventLoopKind::kAuto;
  uint64_t node_seed = 0;  // tells nodes apart
  config::Buffers buffers;
  stats::ShardStats* stats = nullptr;
  std::function<void()> on_drained;
};

class Shard final : private filter::ShardContext, private LoadMonitor::Handler {
 public:
  explicit Shard(ShardOptions options);
  ~Shard();

  Shard(const Shard&) = delete;
  Shard& operator=(const Shard&) = delete;

  /// Starts the thread; returns when the loop is ready or cannot be made. Control thread.
  Result<std::string_view> start();
  /// Runs `task` on the shard's thread, in order. Any thread.
  void post(event::Task task);
  /// Closes everything and ends the thread. Control thread.
  void stop();

  // On the shard's thread.
  void apply(ShardUpdate update);
  void set_endpoints(uint32_t cluster, const std::vector<upstream::EndpointAddress>& endpoints);
  void drain(const downstream::Leave& leave);
  /// A connection that another process had.
  void adopt(int fd, const IdleConnection& connection);
  /// A password that was asked about from here.
  void take_password_answer(const filter::PasswordAnswer& answer);
  /// What came of fetching a token issuer's keys: requests that wait for them go on.
  void take_keys(filter::JwtKeys& keys, bool changed, identity::Issuer issuer);
  /// What the process as a whole has come to.
  void set_process_step(policy::OverloadStep step);
  void set_accept_step(policy::OverloadStep step);

  const ShardOptions& options() const { return options_; }

 private:
  struct ListenerState final : net::ListenerHandler {
    ListenerState(Shard& shard, std::string listener_name)
        : owner(shard),
          name(std::move(listener_name)) {}

    void on_accept(int fd, const net::Address& peer) noexcept override {
      owner.accept(*this, fd, peer);
    }

    Shard& owner;
    std::string name;
    void stop() noexcept;
    void end() noexcept;

    downstream::ListenerContext context;
    std::vector<std::unique_ptr<net::Listener>> listeners;  // of one address; none once removed
    bool removed = false;
    bool ending = false;  // its listeners have their last look
  };

  /// What exists only while the thread runs.
  struct Core;

  // filter::ShardContext
  TimePoint now() const noexcept override;
  WallTime wall_time() const noexcept override;

  uint64_t random() noexcept override { return random_.next(); }

  stats::ShardStats& stats() noexcept override { return *options_.stats; }

  uint32_t shard() const noexcept override { return options_.id; }

  filter::Terminal& terminal() noexcept override;
  buffer::BlockPool& small_blocks() noexcept override;
  buffer::BlockPool& large_blocks() noexcept override;
  filter::Compressors& compressors() noexcept override;
  filter::Mirrors& mirrors() noexcept override;
  filter::Callouts& callouts() noexcept override;
  event::Timers& timers() noexcept override;
  void defer(event::Deferred& work) noexcept override;
  void queue_costly(event::Costly& work) noexcept override;

  // LoadMonitor::Handler
  void on_step(policy::OverloadStep step) noexcept override;
  void on_shrink() noexcept override;

  void run(std::promise<Result<std::string_view>>& ready);
  void apply_cluster(const ClusterUpdate& update);
  void apply_listeners(ShardUpdate& update);
  ListenerState* find_listener(std::string_view name) const;
  void remove_listener(const RemovedListener& removed, const downstream::Leave& leave);
  void end_listeners() noexcept;
  void follow_step() noexcept;
  void accept(ListenerState& listener, int fd, const net::Address& peer) noexcept;
  void check_drained() noexcept;

  ShardOptions options_;
  Random random_;
  std::unique_ptr<Core> core_;
  std::binary_semaphore may_end_{0};  // nobody else will use core_ any more
  std::thread thread_;
};

}  // namespace hangu::server
