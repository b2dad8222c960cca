// Proxy: the terminal of the filter chain. For every stream it makes an Exchange: picks an
// endpoint, takes a pooled connection or opens one, sends the request, replays it where that is
// safe, watches the route's timeouts and carries both bodies with back-pressure. One per shard,
// which owns it.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "hangu/buffer/object_pool.h"
#include "hangu/event/loop.h"
#include "hangu/filter/stream.h"
#include "hangu/stats/shard_stats.h"
#include "hangu/upstream/cluster.h"

namespace hangu::proxy {

class Callouts;
class Exchange;
class Hedge;
class Mirrors;

class Proxy final : public filter::Terminal {
 public:
  /// `timeouts` counts requests that ran into a timeout.
  Proxy(event::Loop& loop, stats::Counter& timeouts);
  ~Proxy();

  Proxy(const Proxy&) = delete;
  Proxy& operator=(const Proxy&) = delete;

  void start(filter::Stream& stream, bool end) noexcept override;

  /// The cluster of a number, see filter::RouteRuntime::cluster; nullptr when there is none.
  upstream::Cluster* cluster(uint32_t number) noexcept {
    return number < clusters_.size() ? clusters_[number].get() : nullptr;
  }

  /// Puts a cluster under its number.
  void set_cluster(uint32_t number, std::unique_ptr<upstream::Cluster> cluster);

  filter::Mirrors& mirrors() noexcept;
  filter::Callouts& callouts() noexcept;

  event::Loop& loop() { return loop_; }

  stats::Counter& timeouts() { return timeouts_; }

  void retire(Exchange& exchange) noexcept;
  /// At the end of the turn its become_tunnel() is called.
  void join_later(Exchange& exchange) noexcept;

  /// Goes with its exchange.
  Hedge& make_hedge(Exchange& exchange) noexcept;

 private:
  /// Makes tunnels when no call of stream, session and exchange is on the stack.
  struct Joiner final : event::Deferred {
    explicit Joiner(Proxy& proxy)
        : owner(proxy) {}

    void run_deferred() noexcept override { owner.join(); }

    Proxy& owner;
  };

  struct Graveyard final : event::Deferred {
    explicit Graveyard(Proxy& proxy)
        : owner(proxy) {}

    void run_deferred() noexcept override { owner.bury(); }

    Proxy& owner;
  };

  void join() noexcept;
  void bury() noexcept;

  event::Loop& loop_;
  stats::Counter& timeouts_;
  std::vector<std::unique_ptr<upstream::Cluster>> clusters_;
  std::unique_ptr<buffer::ObjectPool<Exchange>> exchanges_;
  std::unique_ptr<buffer::ObjectPool<Hedge>> hedges_;
  IntrusiveList<Exchange> live_;
  IntrusiveList<Exchange> joining_;  // live too
  IntrusiveList<Exchange> ended_;
  Joiner joiner_;
  Graveyard graveyard_;
  std::unique_ptr<Mirrors> mirrors_;
  std::unique_ptr<Callouts> callouts_;
};

}  // namespace hangu::proxy
