#include "hangu/upstream/endpoint.h"

#include <utility>

#include "hangu/http/host.h"
#include "hangu/upstream/cluster.h"

namespace hangu::upstream {

Endpoint::Endpoint(Cluster& cluster, const net::Address& address, std::string host)
    : cluster_(cluster),
      address_(address),
      address_text_(address.to_string()),
      host_(std::move(host)),
      graveyard_(*this) {}

Endpoint::~Endpoint() {
  for (IntrusiveList<Connection>* list : {&idle_, &busy_, &http2_}) {
    list->for_each([](Connection& connection) { connection.close(); });
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
  return tls_->connect(name, *tls_sessions_, shared().small_blocks, shared().large_blocks);
}

// --- places for requests ----------------------------------------------------------------------

ClientStream* Endpoint::take_ready(bool reused_before) noexcept {
  if (cluster_config().protocol == config::Protocol::kHttp2) {
    Connection* connection = http2_.find_if(
        [](Connection& candidate) { return static_cast<Http2Connection&>(candidate).has_room(); });
    return connection != nullptr ? &static_cast<Http2Connection&>(*connection).open_stream()
                                 : nullptr;
  }
  Connection* connection = reused_before ? idle_.pop_front() : nullptr;
  if (connection == nullptr) {
    return nullptr;
  }
  auto& taken = static_cast<Http1Connection&>(*connection);
  taken.set_idle(false);
  --idle_count_;
  busy_.push_front(taken);
  return &taken;
}

void Endpoint::adopt(Connection& connection) noexcept {
  busy_.push_front(connection);
  ++connections_;
  publish_counts();
}

void Endpoint::open(ConnectHandler& waiter) noexcept {
  if (cluster_config().protocol == config::Protocol::kHttp2) {
    http2_waiters_.push_back(waiter);
    if (http2_making_ == 0) {
      begin_http2();
    }
    return;
  }
  cluster_.stats().connects.add();
  auto* connecting = std::make_unique<Connecting>(*this).release();  // owned by busy_
  adopt(*connecting);
  connecting->add_waiter(waiter);
  connecting->begin();
}

/// One at a time: how many requests it takes is known when it is there.
void Endpoint::begin_http2() noexcept {
  ++http2_making_;
  cluster_.stats().connects.add();
  auto* connecting = std::make_unique<Connecting>(*this).release();  // owned by busy_
  adopt(*connecting);
  connecting->begin();
}

void Endpoint::connected(Connecting& connecting, net::ConnectionPtr connection,
                         IntrusiveList<ConnectHandler>& waiters) noexcept {
  remove(connecting);
  if (cluster_config().protocol == config::Protocol::kHttp2) {
    auto* made = std::make_unique<Http2Connection>(*this, std::move(connection)).release();
    http2_.push_back(*made);
    ++connections_;
    publish_counts();
    made->begin();
    return;
  }
  auto* made = std::make_unique<Http1Connection>(*this, std::move(connection)).release();
  adopt(*made);
  if (ConnectHandler* waiter = waiters.pop_front()) {
    waiter->on_connect(made, Error{.code = Errc::kNone});
  } else {
    release(*made);
  }
}

void Endpoint::http2_ready(Http2Connection& connection) noexcept {
  --http2_making_;
  while (connection.has_room()) {
    ConnectHandler* waiter = http2_waiters_.pop_front();
    if (waiter == nullptr) {
      break;
    }
    waiter->on_connect(&connection.open_stream(), Error{.code = Errc::kNone});
  }
  if (retired_) {
    connection.retire();
  }
  if (!http2_waiters_.empty() && http2_making_ == 0) {
    begin_http2();
  }
}

void Endpoint::http2_not_ready(const Error& error) noexcept {
  --http2_making_;
  count_connect_failure();
  fail_waiters(error);
}

void Endpoint::connect_failed(Connecting&, IntrusiveList<ConnectHandler>& waiters,
                              const Error& error) noexcept {
  count_connect_failure();
  if (ConnectHandler* waiter = waiters.pop_front()) {
    waiter->on_connect(nullptr, error);
  } else if (http2_making_ != 0) {
    --http2_making_;
    fail_waiters(error);
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
  while (ConnectHandler* waiter = http2_waiters_.pop_front()) {
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
  if (retired_ || worn_out || old || idle_count_ >= config.idle_connections_max) {
    connection.close();
    return;
  }
  connection.unlink();
  idle_.push_front(connection);
  connection.set_idle(true);
  ++idle_count_;
  connection.start_idle_timer(config.idle_timeout);
}

// --- ends -------------------------------------------------------------------------------------

void Endpoint::forget_idle(Http1Connection& connection) noexcept {
  if (connection.idle()) {
    connection.set_idle(false);
    --idle_count_;
  }
}

void Endpoint::remove(Connection& connection) noexcept {
  connection.unlink();
  closed_.push_back(connection);
  --connections_;
  publish_counts();
  shared().loop.defer(graveyard_);
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

void Endpoint::count_connect_failure() noexcept {
  cluster_.stats().connect_failures.add();
}

void Endpoint::count_received(size_t bytes) noexcept {
  cluster_.stats().bytes_received.add(bytes);
}

void Endpoint::publish_counts() noexcept {
  cluster_.publish_connections();
}

}  // namespace hangu::upstream
