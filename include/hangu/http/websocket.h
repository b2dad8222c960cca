// The opening handshake of WebSocket over HTTP/1.1 (RFC 6455 §4), as far as a gateway has to speak
// it for a client of HTTP/2. Pure functions.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace hangu::http {

inline constexpr size_t kWebsocketKeyChars = 24;

/// The value of Sec-WebSocket-Key: 16 random bytes in base64.
void write_websocket_key(const std::array<uint8_t, 16>& random,
                         std::span<char, kWebsocketKeyChars> out) noexcept;

}  // namespace hangu::http
