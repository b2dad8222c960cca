// Tunnel: an exchange after 101 over HTTP/1.1 on both sides, when all that is left of it is bytes.
// Stream, session, exchange and upstream connection are gone; their accounts are settled here at
// the end. Owned by its TunnelOwner, the session that stands for it.
#pragma once

#include "hangu/filter/stream_record.h"
#include "hangu/filter/tunnel.h"
#include "hangu/http/websocket_frames.h"
#include "hangu/net/relay.h"
#include "hangu/upstream/cluster.h"

namespace hangu::proxy {

class Proxy;

class Tunnel final : public filter::Tunnel, private net::RelayHandler {
 public:
  /// What the exchange leaves: it is under way at `endpoint`, in the counts of `cluster` too.
  struct Origin {
    upstream::Cluster& cluster;
    upstream::Endpoint& endpoint;
    bool has_slot = false;         // of the node's for the upstream
    http::WebsocketFrames frames;  // to the client, so far
  };

  Tunnel(Proxy& proxy, const Origin& origin, filter::Stream& stream, filter::TunnelOwner& owner);

  void begin(net::RelayEnd client, net::RelayEnd server) noexcept;

  // filter::Tunnel
  void close() noexcept override;
  bool say_goodbye(uint16_t code) noexcept override;

  size_t held_bytes() const noexcept override { return relay_.held_bytes(); }

  uint64_t sent_bytes() const noexcept override { return relay_.sent_bytes(); }

 private:
  // net::RelayHandler
  size_t on_relaying_to_client(std::string_view bytes) noexcept override;
  void on_relayed_to_client(size_t bytes) noexcept override;
  void on_relay_end(net::RelayOutcome outcome, const Error& error) noexcept override;

  void leave_upstream(net::RelayOutcome outcome) noexcept;
  void end_stream(net::RelayOutcome outcome, const Error& error) noexcept;

  Proxy& proxy_;
  upstream::Cluster& cluster_;
  upstream::Endpoint& endpoint_;
  filter::TunnelOwner& owner_;
  const bool websocket_;
  filter::StreamRecord record_;
  net::Relay relay_;
  http::WebsocketFrames frames_;  // to the client
  uint16_t goodbye_ = 0;          // the code of a Close frame that waits for its place
  bool has_slot_;
};

}  // namespace hangu::proxy
