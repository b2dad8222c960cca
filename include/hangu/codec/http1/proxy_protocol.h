// The PROXY protocol, versions 1 and 2, of haproxy's proxy-protocol.txt: a load balancer tells,
// before the first byte of the client, who the client is. Pure; knows nothing of who may send it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "hangu/base/result.h"

namespace hangu::codec::http1 {

struct ProxyEndpoint {
  std::array<char, 16> bytes{};  // network order
  uint8_t size = 0;              // 4, 16; 0: not known
  uint16_t port = 0;

  std::string_view ip() const { return {bytes.data(), size}; }
};

struct ProxyHeader {
  size_t consumed = 0;  // 0: more bytes are needed
  bool local = false;   // says nothing of a client (LOCAL, UNKNOWN, a family other than IP)
  ProxyEndpoint source;
  ProxyEndpoint destination;
};

/// A whole header is no longer than this.
inline constexpr size_t kProxyHeaderBytesMax = 16 + 4096;

/// `buffer`: everything received so far. An error (kBadProxyHeader) is final: close the connection.
Result<ProxyHeader> parse_proxy_header(std::string_view buffer) noexcept;

}  // namespace hangu::codec::http1
