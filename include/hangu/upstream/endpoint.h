// Endpoint: one address of an upstream as one shard sees it, with its connections: those of
// HTTP/1.1, idle ones apart, most recently used first; those of HTTP/2; those being made. Finds a
// place for a request among them. Owned by its Cluster. Retired when the address leaves the config:
// idle connections close at once, busy ones after their last exchange.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "hangu/base/intrusive_list.h"
#include "hangu/buffer/object_pool.h"
#include "hangu/config/config.h"
#include "hangu/event/loop.h"
#include "hangu/net/address.h"
#include "hangu/policy/connection_budget.h"
#include "hangu/policy/endpoint_health.h"
#include "hangu/policy/peak_ewma.h"
#include "hangu/stats/upstream_stats.h"
#include "hangu/tls/client_context.h"
#include "hangu/upstream/client_stream.h"
#include "hangu/upstream/connecting.h"
#include "hangu/upstream/http1_connection.h"
#include "hangu/upstream/http2_connection.h"

namespace hangu::upstream {

/// What the upstream connections of a shard have in common.
struct Shared {
  Shared(event::Loop& event_loop, buffer::BlockPool& small, buffer::BlockPool& large,
         uint32_t number, size_t write_high, size_t write_low)
      : loop(event_loop),
        small_blocks(small),
        large_blocks(large),
        shard(number),
        write_high_watermark(write_high),
        write_low_watermark(write_low) {}

  event::Loop& loop;
  buffer::BlockPool& small_blocks;
  buffer::BlockPool& large_blocks;
  uint32_t shard;
  uint64_t node_seed = 0;  // tells nodes apart
  size_t write_high_watermark;
  size_t write_low_watermark;
  buffer::ObjectPool<Http2ClientStream> http2_streams;
};

class Cluster;

/// Where an upstream can be reached, as the control thread tells the shards.
struct EndpointAddress {
  net::Address address;
  std::string host;
  std::shared_ptr<policy::EndpointHealth> health;         // of the node
  std::shared_ptr<policy::ConnectionBudget> connections;  // the same
  uint32_t weight = 1;
  uint32_t priority = 0;
};

class Endpoint {
 public:
  Endpoint(Cluster& cluster, const EndpointAddress& where);
  ~Endpoint();

  Endpoint(const Endpoint&) = delete;
  Endpoint& operator=(const Endpoint&) = delete;

  const net::Address& address() const { return address_; }

  const std::string& address_text() const { return address_text_; }

  /// The configured name and port, for the Host field of routes that do not preserve the client's.
  const std::string& host() const { return host_; }

  policy::EndpointHealth& health() const { return *health_; }

  uint32_t weight() const { return weight_; }

  uint32_t priority() const { return priority_; }

  void set_weight(uint32_t weight, uint32_t priority) {
    weight_ = weight;
    priority_ = priority;
  }

  /// What leads a client back here: the cookie's value, and the field that sets it.
  struct Cookie {
    std::string name;
    std::string field;
  };

  const Cookie& cookie() const { return cookie_; }

  void set_cookie(Cookie cookie) { cookie_ = std::move(cookie); }

  // Requests of this shard that are under way here, waiting ones included.
  void request_began() noexcept { ++active_; }

  void request_ended() noexcept { --active_; }

  uint32_t active() const { return active_; }

  policy::PeakEwma& latency() { return latency_; }

  /// A place on a connection that is there, or nullptr. `reused_before`: whether one that was used
  /// before will do.
  ClientStream* take_ready(bool reused_before) noexcept;
  /// Has `waiter` wait for a place: on a connection of its own, or on one that many can share. It
  /// may hear before this returns.
  void open(ConnectHandler& waiter) noexcept;
  /// Whether a further connection would be over limits that are in shadow mode.
  bool over_connections() const noexcept;

  // For its connections.
  Shared& shared() noexcept;
  const config::Upstream& cluster_config() const noexcept;
  /// The client's side of TLS for a new connection; nullptr: without.
  std::unique_ptr<net::SecurityLayer> make_security();
  bool secured() const noexcept;
  /// A new connection is there; `connecting` ends.
  void connected(Connecting& connecting, net::ConnectionPtr connection) noexcept;
  void connect_failed(const Error& error) noexcept;
  void http2_ready(Http2Connection& connection) noexcept;
  void http2_not_ready(const Error& error) noexcept;
  void release(Http1Connection& connection) noexcept;
  /// An idle connection is about to close.
  void forget_idle(Http1Connection& connection) noexcept;
  void remove(Connection& connection) noexcept;
  /// `connection` ends without closing what it used, which counts on until tunnel_ended().
  void lend(Connection& connection) noexcept;
  void tunnel_ended() noexcept;
  void bury(Http2ClientStream& stream) noexcept;
  void count_connect_failure(const Error& error) noexcept;
  void count_received(size_t bytes) noexcept;

  void retire() noexcept;
  void close_idle() noexcept;

  // Limits of the node on connections.
  /// Another shard or endpoint has none: closes the one unused for longest. False: all are in use.
  bool give_up_connection() noexcept;
  /// What those wait for who may not make a connection may have come.
  void look_again() noexcept;

  /// Whether nothing refers to it any more.
  bool buriable() const {
    return connections_ == 0 && active_ == 0 && !graveyard_.pending() && !shortage_.pending();
  }

  uint32_t connections() const { return connections_; }

 private:
  /// Destroys closed connections at the end of the turn: they may be in the middle of a call.
  struct Graveyard final : event::Deferred {
    explicit Graveyard(Endpoint& endpoint)
        : owner(endpoint) {}

    void run_deferred() noexcept override { owner.bury(); }

    Endpoint& owner;
  };

  /// While more wait than connections may be made: looks again whether there is one now.
  struct Shortage final : event::Timer, event::Deferred {
    explicit Shortage(Endpoint& endpoint)
        : owner(endpoint) {}

    void on_timer() noexcept override { owner.end_shortage(); }

    void run_deferred() noexcept override { owner.end_shortage(); }

    Endpoint& owner;
    policy::ConnectionBudget* starving_for = nullptr;  // we have none at all
    bool active = false;
    bool refused = false;  // by the limits, the last time
  };

  void adopt(Connection& connection) noexcept;
  bool limits_connections() const noexcept;
  bool take_connection() noexcept;
  void give_back_connection() noexcept;
  bool others_starve() const noexcept;
  void begin_shortage(policy::ConnectionBudget& budget) noexcept;
  void end_shortage() noexcept;
  void set_starving(policy::ConnectionBudget* budget) noexcept;
  bool expects_http2() const noexcept;
  void note_handshake(const net::SecurityDetails& details) noexcept;
  bool make() noexcept;
  void make_for_waiters() noexcept;
  void add_http1(net::ConnectionPtr connection) noexcept;
  void add_http2(net::ConnectionPtr connection) noexcept;
  void fail_waiters(const Error& error) noexcept;
  void bury() noexcept;
  void publish_counts() noexcept;

  Cluster& cluster_;
  net::Address address_;
  std::string address_text_;
  std::string host_;
  std::shared_ptr<policy::EndpointHealth> health_;
  uint32_t weight_;
  uint32_t priority_;
  Cookie cookie_;
  std::shared_ptr<policy::ConnectionBudget> budget_;
  policy::PeakEwma latency_;
  uint32_t active_ = 0;
  IntrusiveList<Connection> idle_;   // of HTTP/1.1
  IntrusiveList<Connection> busy_;   // and those being made
  IntrusiveList<Connection> http2_;  // from their preface on
  IntrusiveList<Connection> closed_;
  IntrusiveList<ConnectHandler> waiters_;
  std::vector<buffer::ObjectPool<Http2ClientStream>::Ptr> ended_streams_;
  std::shared_ptr<const tls::ClientContext> tls_;  // that `tls_sessions_` belongs to
  std::shared_ptr<tls::SessionCache> tls_sessions_;
  Graveyard graveyard_;
  Shortage shortage_;
  uint32_t idle_count_ = 0;
  uint32_t connections_ = 0;   // all but those closed
  uint32_t making_ = 0;        // that have not come to be ready
  bool picked_http1_ = false;  // by the server, in the last handshake
  bool retired_ = false;
};

}  // namespace hangu::upstream
