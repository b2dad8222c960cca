// The opening handshake of WebSocket over HTTP/1.1 (RFC 6455 §4), as far as a gateway has to speak
// it for a client of HTTP/2. Pure functions.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace hangu::http {

inline constexpr size_t kWebsocketKeyChars = 24;

/// The value of Sec-WebSocket-Key: 16 random bytes in base64.
void write_websocket_key(const std::array<uint8_t, 16>& random,
                         std::span<char, kWebsocketKeyChars> out) noexcept;

inline constexpr size_t kWebsocketAcceptChars = 28;

/// What an endpoint appends to the key before it takes the SHA-1 of both.
inline constexpr std::string_view kWebsocketGuid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// The value of Sec-WebSocket-Accept, from that digest.
void write_websocket_accept(const std::array<uint8_t, 20>& digest,
                            std::span<char, kWebsocketAcceptChars> out) noexcept;

}  // namespace hangu::http
