#include "proxy/tunnel.h"

#include <utility>

#include "hangu/filter/stream.h"
#include "hangu/http/text.h"
#include "hangu/proxy/proxy.h"

#include "proxy/circuits.h"

namespace hangu::proxy {
namespace {

using net::RelayOutcome;

/// The head has been sent, the connection let go of: a stream that only ends has nothing to write.
class NoWriter final : public filter::ResponseWriter {
 public:
  void write_informational(filter::Stream&, const http::ResponseHead&) noexcept override {}

  void write_head(filter::Stream&, bool) noexcept override {}

  void write_data(filter::Stream&, buffer::Slice&&, bool) noexcept override {}

  void write_trailers(filter::Stream&, const http::HeaderBlock&) noexcept override {}

  void abort(filter::Stream&) noexcept override {}

  void pause_request(filter::Stream&, bool) noexcept override {}

  bool congested(const filter::Stream&) const noexcept override { return false; }

  net::Connection* response_target(const filter::Stream&) noexcept override { return nullptr; }
};

/// How long the two have for their closing handshake (RFC 6455 §7.1.1).
constexpr Duration kGoodbyeTime = std::chrono::seconds(5);

bool is_websocket(const filter::Stream& stream) {
  const http::Header* upgrade = stream.response.headers.find("upgrade");
  return upgrade != nullptr && http::equals_ignore_case(upgrade->value(), "websocket");
}

net::RelayLimits limits_of(const filter::StreamRecord& record) {
  return {.idle = record.route().config->tunnel_idle_timeout,
          .write_idle = record.listener().config->timeouts.write_idle};
}

}  // namespace

Tunnel::Tunnel(Proxy& proxy, const Origin& origin, filter::Stream& stream,
               filter::TunnelOwner& owner)
    : proxy_(proxy),
      cluster_(origin.cluster),
      endpoint_(origin.endpoint),
      owner_(owner),
      websocket_(is_websocket(stream)),
      record_(stream),
      relay_(proxy.loop(), *this, limits_of(record_)),
      frames_(origin.frames),
      has_slot_(origin.has_slot) {}

void Tunnel::begin(net::RelayEnd client, net::RelayEnd server) noexcept {
  relay_.begin(std::move(client), std::move(server));
}

size_t Tunnel::on_relaying_to_client(std::string_view bytes) noexcept {
  if (goodbye_ != 0) {
    return frames_.pass_to_end(bytes);
  }
  if (websocket_) {
    frames_.pass(bytes);
  }
  return bytes.size();
}

void Tunnel::on_relayed_to_client(size_t bytes) noexcept {
  cluster_.stats().bytes_received.add(bytes);
  if (goodbye_ != 0 && frames_.between() && !relay_.ending()) {
    const http::CloseFrame frame = http::close_frame(goodbye_);
    relay_.end_to_client({frame.data(), frame.size()}, kGoodbyeTime);
  }
}

bool Tunnel::say_goodbye(uint16_t code) noexcept {
  if (websocket_ && goodbye_ == 0) {
    goodbye_ = code;
    on_relayed_to_client(0);
  }
  return websocket_;
}

void Tunnel::close() noexcept {
  relay_.close();
  on_relay_end(RelayOutcome::kDone, {});
}

void Tunnel::on_relay_end(RelayOutcome outcome, const Error& error) noexcept {
  leave_upstream(outcome);
  end_stream(outcome, error);
  owner_.on_tunnel_end();
}

/// Its 101 was a success at first; an upstream that breaks off counts once more, as a failure. One
/// that is silent is to blame only if the client has said all it had to say.
void Tunnel::leave_upstream(RelayOutcome outcome) noexcept {
  if (outcome == RelayOutcome::kServerBroke) {
    cluster_.stats().failures.add();
  } else if (outcome == RelayOutcome::kIdle) {
    proxy_.timeouts().add();
  }
  if (outcome == RelayOutcome::kServerBroke ||
      (outcome == RelayOutcome::kIdle && relay_.client_ended())) {
    cluster_.failed(endpoint_, record_.shard().random());
  }
  if (has_slot_) {
    cluster_.slots().give_back();
  }
  cluster_.stats().active.subtract();
  endpoint_.request_ended();
  endpoint_.tunnel_ended();
}

void Tunnel::end_stream(RelayOutcome outcome, const Error& error) noexcept {
  NoWriter writer;
  filter::Stream stream(record_, writer);
  stream.info.request_body_bytes += relay_.bytes_from_client();
  stream.info.response_body_bytes += relay_.bytes_to_client();
  switch (outcome) {
    case RelayOutcome::kDone: break;
    case RelayOutcome::kClientBroke:
    case RelayOutcome::kStuck: stream.on_client_gone(); break;
    case RelayOutcome::kServerBroke:
      report_broken(stream, cluster_);
      stream.fail(upstream_error(Errc::kReset, error.detail, error.sys_errno));
      break;
    case RelayOutcome::kIdle:
      stream.fail(upstream_error(Errc::kTimeout, "no byte in either direction in time"));
      break;
  }
  stream.finish();
}

}  // namespace hangu::proxy
