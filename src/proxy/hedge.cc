#include "proxy/hedge.h"

#include <utility>

#include "hangu/proxy/proxy.h"

#include "proxy/exchange.h"

namespace hangu::proxy {

void Hedge::on_timer() noexcept {
  owner_.on_hedge_due();
}

void Hedge::begin(upstream::Endpoint& endpoint, bool has_slot) noexcept {
  has_slot_ = has_slot;
  endpoint_ = &endpoint;
  endpoint.request_began();
  if (upstream::ClientStream* ready = endpoint.take_ready(true)) {
    send(*ready);
    return;
  }
  if (owner_.cluster().begin_pending() == upstream::Cluster::Pending::kNo) {
    stop();
    return;
  }
  connecting_ = true;
  endpoint.open(*this);
}

void Hedge::send(upstream::ClientStream& place) noexcept {
  place_ = &place;
  sent_ = owner_.now();
  upstream::OutgoingRequest request = owner_.outgoing_request(*endpoint_);
  request.response = &response_;
  request.handler = this;
  if (current_) {
    owner_.on_hedge_connected(place);
  }
  place.send_request(request);
}

void Hedge::end_waiting() noexcept {
  upstream::ConnectHandler::unlink();
  if (std::exchange(connecting_, false)) {
    owner_.cluster().end_pending();
  }
}

void Hedge::give_slot_back() noexcept {
  if (std::exchange(has_slot_, false)) {
    owner_.cluster().slots().give_back();
  }
}

void Hedge::stop() noexcept {
  disarm();
  end_waiting();
  give_slot_back();
  upstream::Endpoint* const endpoint = std::exchange(endpoint_, nullptr);
  upstream::ClientStream* const place = std::exchange(place_, nullptr);
  if (current_) {
    current_ = false;
    return;  // both are the exchange's
  }
  if (endpoint != nullptr) {
    endpoint->request_ended();
  }
  if (place != nullptr) {
    place->abandon();
  }
}

void Hedge::become_current() noexcept {
  current_ = true;
  give_slot_back();
}

// --- what it hears ----------------------------------------------------------------------------

void Hedge::on_connect(upstream::ClientStream* stream, const Error& error) noexcept {
  end_waiting();
  if (stream != nullptr) {
    send(*stream);
  } else {
    on_failure(error);
  }
}

void Hedge::on_failure(const Error& error) noexcept {
  place_ = nullptr;
  if (current_) {
    stop();
    owner_.response_handler().on_failure(error);
    return;
  }
  if (error.retry != Retry::kIfReused && error.retry != Retry::kGoaway) {
    owner_.on_hedge_failed(*endpoint_);
  }
  stop();
}

void Hedge::on_response_head(bool end) noexcept {
  if (end) {
    place_ = nullptr;  // it is done with us
  }
  owner_.on_hedge_answered(end);
}

void Hedge::on_informational(const http::ResponseHead& head) noexcept {
  if (current_) {
    owner_.response_handler().on_informational(head);
  }
}

void Hedge::on_response_data(buffer::Slice&& data, bool end) noexcept {
  owner_.response_handler().on_response_data(std::move(data), end);
}

net::Connection* Hedge::response_target() noexcept {
  return owner_.response_handler().response_target();
}

void Hedge::on_response_spliced(uint64_t bytes, bool end) noexcept {
  owner_.response_handler().on_response_spliced(bytes, end);
}

void Hedge::on_response_trailers(const http::HeaderBlock& trailers) noexcept {
  owner_.response_handler().on_response_trailers(trailers);
}

/// It has no body to send.
void Hedge::on_request_writable() noexcept {}

bool Hedge::response_congested() const noexcept {
  return owner_.response_handler().response_congested();
}

/// It asks for none.
void Hedge::on_tunnel_end() noexcept {}

}  // namespace hangu::proxy
