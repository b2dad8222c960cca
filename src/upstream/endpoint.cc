#include "hangu/upstream/endpoint.h"

#include <utility>

#include "hangu/upstream/cluster.h"

namespace hangu::upstream {

Endpoint::Endpoint(Cluster& cluster, const net::Address& address, std::string host)
    : cluster_(cluster),
      address_(address),
      address_text_(address.to_string()),
      host_(std::move(host)),
      graveyard_(*this) {}

Endpoint::~Endpoint() {
  for (IntrusiveList<Http1Connection>* list : {&idle_, &busy_}) {
    list->for_each([](Http1Connection& connection) { connection.close(); });
  }
  bury();
}

Shared& Endpoint::shared() noexcept {
  return cluster_.shared();
}

const config::Upstream& Endpoint::cluster_config() const noexcept {
  return cluster_.config();
}

Http1Connection* Endpoint::take_idle() noexcept {
  Http1Connection* connection = idle_.pop_front();
  if (connection != nullptr) {
    connection->set_idle(false);
    --idle_count_;
    busy_.push_front(*connection);
  }
  return connection;
}

Http1Connection& Endpoint::open(ConnectHandler& waiter) noexcept {
  auto* connection = std::make_unique<Http1Connection>(*this, waiter).release();  // owned by busy_
  busy_.push_front(*connection);
  ++connections_;
  publish_counts();
  connection->connect();
  return *connection;
}

void Endpoint::release(Http1Connection& connection) noexcept {
  const config::Upstream& config = cluster_.config();
  const bool worn_out = config.requests_per_connection_max != 0 &&
                        connection.requests() >= config.requests_per_connection_max;
  if (retired_ || worn_out || idle_count_ >= config.idle_connections_max) {
    connection.close();
    return;
  }
  connection.unlink();
  idle_.push_front(connection);
  connection.set_idle(true);
  ++idle_count_;
  connection.start_idle_timer(config.idle_timeout);
}

void Endpoint::remove(Http1Connection& connection) noexcept {
  if (connection.idle()) {
    connection.set_idle(false);
    --idle_count_;
  }
  connection.unlink();
  closed_.push_back(connection);
  --connections_;
  publish_counts();
  shared().loop.defer(graveyard_);
}

void Endpoint::bury() noexcept {
  while (Http1Connection* connection = closed_.pop_front()) {
    std::unique_ptr<Http1Connection>(connection).reset();
  }
}

void Endpoint::retire() noexcept {
  retired_ = true;
  close_idle();
}

void Endpoint::close_idle() noexcept {
  idle_.for_each([](Http1Connection& connection) { connection.close(); });
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
