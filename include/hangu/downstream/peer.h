// Peer: who is at the other end of a client connection, as text kept with the connection, so that
// no request formats it again. From the socket or from a PROXY protocol header.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "hangu/filter/stream_info.h"
#include "hangu/net/address.h"

namespace hangu::downstream {

class Peer {
 public:
  void set(const net::Address& address, filter::ClientIpSource source) {
    const std::string text = address.ip_string();
    size_ = static_cast<uint8_t>(text.copy(text_.data(), text_.size()));
    port_ = address.port();
    source_ = source;
  }

  /// "192.0.2.1", "2001:db8::1", or "unix" for a Unix socket.
  std::string_view ip() const { return {text_.data(), size_}; }

  uint16_t port() const { return port_; }

  filter::ClientIpSource source() const { return source_; }

  /// Whether its forwarding headers are believed (`trusted_proxies`).
  bool trusted() const { return trusted_; }

  void set_trusted(bool trusted) { trusted_ = trusted; }

 private:
  std::array<char, 46> text_{};  // INET6_ADDRSTRLEN
  uint8_t size_ = 0;
  filter::ClientIpSource source_ = filter::ClientIpSource::kPeer;
  uint16_t port_ = 0;
  bool trusted_ = false;
};

}  // namespace hangu::downstream
