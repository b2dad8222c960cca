// The hygiene every request gets before any filter sees it: path, client address, forwarding
// headers, request id, trace context. What the client may claim depends on whether the peer is
// trusted.
#pragma once

#include <cstdint>
#include <string_view>

#include "hangu/base/result.h"
#include "hangu/filter/stream.h"

namespace hangu::filter {

/// What TLS says of the client; empty without it.
struct TlsView {
  std::string_view protocol;
  std::string_view cipher;
  std::string_view server_name;
  std::string_view client_subject;
  std::string_view client_names;
  std::string_view client_fingerprint;
  bool early = false;  // the handshake is not over: what came may be a replay (RFC 8470)
};

/// Whoever holds the other end of the client connection; `ip` outlives the stream.
struct PeerView {
  std::string_view ip;
  uint16_t port = 0;
  ClientIpSource source = ClientIpSource::kPeer;
  bool trusted = false;  // listed in the listener's `trusted_proxies`
  TlsView tls;

  bool secure() const { return !tls.protocol.empty(); }
};

/// Normalises the path, sets stream.info's client and request id, and rewrites the forwarding
/// headers. An error is the client's fault (400, 421, 425, 431).
Result<void> apply_edge_rules(Stream& stream, const PeerView& peer) noexcept;

/// For a request whose head is no good: client address and request id, believing nothing it says.
void identify_rejected(Stream& stream, const PeerView& peer) noexcept;

}  // namespace hangu::filter
