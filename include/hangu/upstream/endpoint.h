// Endpoint: one address of an upstream as one shard sees it, with its connections: the idle ones,
// most recently used first, and the busy ones. Owned by its Cluster. Retired when the address
// leaves the config: idle connections close at once, busy ones after their exchange.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "hangu/base/intrusive_list.h"
#include "hangu/config/config.h"
#include "hangu/event/loop.h"
#include "hangu/net/address.h"
#include "hangu/stats/upstream_stats.h"
#include "hangu/upstream/http1_connection.h"

namespace hangu::upstream {

/// What the upstream connections of a shard have in common.
struct Shared {
  event::Loop& loop;
  buffer::BlockPool& small_blocks;
  uint32_t shard;
  size_t write_high_watermark;
  size_t write_low_watermark;
};

class Cluster;

class Endpoint {
 public:
  Endpoint(Cluster& cluster, const net::Address& address, std::string host);
  ~Endpoint();

  Endpoint(const Endpoint&) = delete;
  Endpoint& operator=(const Endpoint&) = delete;

  const net::Address& address() const { return address_; }

  const std::string& address_text() const { return address_text_; }

  /// The configured name and port, for the Host field of routes that do not preserve the client's.
  const std::string& host() const { return host_; }

  /// An idle connection, or nullptr.
  Http1Connection* take_idle() noexcept;
  /// Begins a new connection for `waiter`.
  Http1Connection& open(ConnectHandler& waiter) noexcept;

  // For its connections.
  Shared& shared() noexcept;
  const config::Upstream& cluster_config() const noexcept;
  void release(Http1Connection& connection) noexcept;
  void remove(Http1Connection& connection) noexcept;
  void count_connect_failure() noexcept;
  void count_received(size_t bytes) noexcept;

  void retire() noexcept;
  void close_idle() noexcept;

  /// Whether nothing refers to it any more.
  bool buriable() const { return connections_ == 0 && !graveyard_.pending(); }

  uint32_t connections() const { return connections_; }

 private:
  /// Destroys closed connections at the end of the turn: they may be in the middle of a call.
  struct Graveyard final : event::Deferred {
    explicit Graveyard(Endpoint& endpoint)
        : owner(endpoint) {}

    void run_deferred() noexcept override { owner.bury(); }

    Endpoint& owner;
  };

  void bury() noexcept;
  void publish_counts() noexcept;

  Cluster& cluster_;
  net::Address address_;
  std::string address_text_;
  std::string host_;
  IntrusiveList<Http1Connection> idle_;
  IntrusiveList<Http1Connection> busy_;
  IntrusiveList<Http1Connection> closed_;
  Graveyard graveyard_;
  uint32_t idle_count_ = 0;
  uint32_t connections_ = 0;  // idle and busy
  bool retired_ = false;
};

}  // namespace hangu::upstream
