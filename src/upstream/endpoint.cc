#include "hangu/upstream/endpoint.h"

#include <algorithm>
#include <utility>

#include "hangu/http/host.h"
#include "hangu/upstream/cluster.h"

namespace hangu::upstream {

Endpoint::Endpoint(Cluster& cluster, const EndpointAddress& where)
    : cluster_(cluster),
      address_(where.address),
      address_text_(where.address.to_string()),
      host_(where.host),
      health_(where.health),
      weight_(where.weight),
      priority_(where.priority),
      budget_(where.connections),
      graveyard_(*this),
      shortage_(*this) {}

Endpoint::~Endpoint() {
  for (IntrusiveList<Connection>* list : {&idle_, &busy_, &http2_}) {
    list->for_each([](Connection& connection) { connection.close(); });
  }
  set_starving(nullptr);
  if (shortage_.active) {
    cluster_.note_short(false);
  }
  bury();
}

Shared& Endpoint::shared() noexcept {
  return cluster_.shared();
}

const config::Upstream& Endpoint::cluster_config() const noexcept {
  return cluster_.config();
}

bool Endpoint::secured() const noexcept {
  return cluster_.tls() != nullptr;
}

std::unique_ptr<net::SecurityLayer> Endpoint::make_security() {
  if (!secured()) {
    return nullptr;
  }
  if (tls_ != cluster_.tls()) {
    tls_ = cluster_.tls();
    tls_sessions_ = tls_->make_cache();
  }
  std::string name = cluster_config().tls.server_name;
  if (name.empty()) {
    const auto authority = http::parse_authority(host_);
    name = authority ? std::string(authority->host) : host_;
    if (name.size() > 2 && name.front() == '[') {
      name = name.substr(1, name.size() - 2);
    }
  }
  return tls_->connect(name, tls_sessions_, shared().small_blocks, shared().large_blocks);
}

// --- places for requests ----------------------------------------------------------------------

ClientStream* Endpoint::take_ready(bool reused_before) noexcept {
  const config::UpstreamProtocol protocol = cluster_config().protocol;
  if (protocol != config::UpstreamProtocol::kHttp1) {
    Connection* shared = http2_.find_if(
        [](Connection& candidate) { return static_cast<Http2Connection&>(candidate).has_room(); });
    if (shared != nullptr) {
      return &static_cast<Http2Connection&>(*shared).open_stream();
    }
  }
  const bool wanted = reused_before && protocol != config::UpstreamProtocol::kHttp2;
  Connection* connection = wanted ? idle_.pop_front() : nullptr;
  if (connection == nullptr) {
    return nullptr;
  }
  auto& taken = static_cast<Http1Connection&>(*connection);
  taken.set_idle(false);
  --idle_count_;
  busy_.push_front(taken);
  return &taken;
}

/// Whether the next connection is one that many requests share, as far as is known.
bool Endpoint::expects_http2() const noexcept {
  switch (cluster_config().protocol) {
    case config::UpstreamProtocol::kHttp1: return false;
    case config::UpstreamProtocol::kHttp2: return true;
    case config::UpstreamProtocol::kAuto: break;
  }
  return !picked_http1_;
}

void Endpoint::open(ConnectHandler& waiter) noexcept {
  waiters_.push_back(waiter);
  // Of HTTP/2 one at a time: how many requests it takes is known when it is there.
  if (!expects_http2() || making_ == 0) {
    make();
  }
}

/// False: the limits do not allow it now.
bool Endpoint::make() noexcept {
  if (!take_connection()) {
    return false;
  }
  ++making_;
  cluster_.stats().connects.add();
  auto* connecting = std::make_unique<Connecting>(*this).release();  // owned by busy_
  adopt(*connecting);
  connecting->begin();
  return true;
}

/// After waiters were left over.
void Endpoint::make_for_waiters() noexcept {
  size_t wanted = 0;
  waiters_.for_each([&](ConnectHandler&) { ++wanted; });
  if (expects_http2()) {
    wanted = std::min<size_t>(wanted, 1);
  }
  while (making_ < wanted && !waiters_.empty() && make()) {
  }
}

void Endpoint::adopt(Connection& connection) noexcept {
  busy_.push_front(connection);
  ++connections_;
  publish_counts();
}

void Endpoint::connected(Connecting& connecting, net::ConnectionPtr connection) noexcept {
  lend(connecting);
  --connections_;  // the new one takes its place, in the limits too
  if (connection->security() != nullptr) {
    note_handshake(connection->security()->details());
  }
  if (expects_http2()) {
    add_http2(std::move(connection));
  } else {
    add_http1(std::move(connection));
  }
}

void Endpoint::note_handshake(const net::SecurityDetails& details) noexcept {
  stats::UpstreamSlot& stats = cluster_.stats();
  (details.resumed ? stats.tls_handshakes_resumed : stats.tls_handshakes_full).add();
  picked_http1_ = details.application_protocol != "h2";
}

void Endpoint::add_http2(net::ConnectionPtr connection) noexcept {
  auto* made = std::make_unique<Http2Connection>(*this, std::move(connection)).release();
  http2_.push_back(*made);
  ++connections_;
  cluster_.stats().http2_connections.add();
  publish_counts();
  made->begin();
}

void Endpoint::add_http1(net::ConnectionPtr connection) noexcept {
  --making_;
  auto* made = std::make_unique<Http1Connection>(*this, std::move(connection)).release();
  adopt(*made);
  if (ConnectHandler* waiter = waiters_.pop_front()) {
    waiter->on_connect(made, Error{.code = Errc::kNone});
  } else {
    release(*made);
  }
  make_for_waiters();
}

void Endpoint::http2_ready(Http2Connection& connection) noexcept {
  --making_;
  while (connection.has_room()) {
    ConnectHandler* waiter = waiters_.pop_front();
    if (waiter == nullptr) {
      break;
    }
    waiter->on_connect(&connection.open_stream(), Error{.code = Errc::kNone});
  }
  if (retired_) {
    connection.retire();
  }
  make_for_waiters();
}

void Endpoint::http2_not_ready(const Error& error) noexcept {
  --making_;
  count_connect_failure(error);
  fail_waiters(error);
}

void Endpoint::connect_failed(const Error& error) noexcept {
  --making_;
  count_connect_failure(error);
  if (expects_http2()) {
    fail_waiters(error);
  } else if (ConnectHandler* waiter = waiters_.pop_front()) {
    waiter->on_connect(nullptr, error);
  }
}

/// Each of them once: who tries again waits anew.
void Endpoint::fail_waiters(const Error& error) noexcept {
  Error failed = error;
  failed.side = Side::kUpstream;
  failed.retry = Retry::kSafe;
  if (failed.code != Errc::kConnectTimeout && failed.code != Errc::kTlsHandshake &&
      failed.code != Errc::kTlsCertificate) {
    failed.code = Errc::kConnectFailed;
  }
  IntrusiveList<ConnectHandler> waiters;
  while (ConnectHandler* waiter = waiters_.pop_front()) {
    waiters.push_back(*waiter);
  }
  while (ConnectHandler* waiter = waiters.pop_front()) {
    waiter->on_connect(nullptr, failed);
  }
}

void Endpoint::release(Http1Connection& connection) noexcept {
  const config::Upstream& config = cluster_.config();
  const bool worn_out = config.requests_per_connection_max != 0 &&
                        connection.requests() >= config.requests_per_connection_max;
  const bool old = config.connection_age_max != Duration::zero() &&
                   shared().loop.now() - connection.created() >= config.connection_age_max;
  if (retired_ || worn_out || old || idle_count_ >= config.idle_connections_max ||
      others_starve()) {
    connection.close();
    return;
  }
  connection.unlink();
  idle_.push_front(connection);
  connection.set_idle(true);
  ++idle_count_;
  connection.start_idle_timer(config.idle_timeout);
  look_again();
}

// --- ends -------------------------------------------------------------------------------------

void Endpoint::forget_idle(Http1Connection& connection) noexcept {
  if (connection.idle()) {
    connection.set_idle(false);
    --idle_count_;
  }
}

void Endpoint::remove(Connection& connection) noexcept {
  lend(connection);
  tunnel_ended();
}

void Endpoint::lend(Connection& connection) noexcept {
  connection.unlink();
  closed_.push_back(connection);
  shared().loop.defer(graveyard_);
}

void Endpoint::tunnel_ended() noexcept {
  --connections_;
  publish_counts();
  give_back_connection();
}

void Endpoint::bury(Http2ClientStream& stream) noexcept {
  ended_streams_.push_back(
      buffer::ObjectPool<Http2ClientStream>::Ptr(&stream, {.pool = &shared().http2_streams}));
  shared().loop.defer(graveyard_);
}

void Endpoint::bury() noexcept {
  ended_streams_.clear();
  while (Connection* connection = closed_.pop_front()) {
    std::unique_ptr<Connection>(connection).reset();
  }
}

void Endpoint::retire() noexcept {
  retired_ = true;
  for (IntrusiveList<Connection>* list : {&idle_, &busy_, &http2_}) {
    list->for_each([](Connection& connection) { connection.retire(); });
  }
}

void Endpoint::close_idle() noexcept {
  idle_.for_each([](Connection& connection) { connection.close(); });
  http2_.for_each(
      [](Connection& connection) { static_cast<Http2Connection&>(connection).close_if_idle(); });
}

void Endpoint::count_connect_failure(const Error& error) noexcept {
  cluster_.stats().connect_failures.add();
  if (error.code == Errc::kTlsHandshake || error.code == Errc::kTlsCertificate) {
    cluster_.stats().tls_failures.add(error.detail);
  }
}

void Endpoint::count_received(size_t bytes) noexcept {
  cluster_.stats().bytes_received.add(bytes);
}

void Endpoint::publish_counts() noexcept {
  cluster_.publish_connections();
}

}  // namespace hangu::upstream
