#include "hangu/http/websocket.h"

namespace hangu::http {
namespace {

/// Base64 with padding (RFC 4648 §4).
void write_base64(std::span<const uint8_t> bytes, char* out) {
  constexpr char kAlphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (size_t from = 0; from < bytes.size(); from += 3) {
    uint32_t group = 0;
    for (size_t i = from; i < from + 3; ++i) {
      group = (group << 8) | (i < bytes.size() ? bytes[i] : 0U);
    }
    for (size_t i = 0; i < 4; ++i) {
      const bool missing = from + i > bytes.size();
      *out++ = missing ? '=' : kAlphabet[(group >> (18 - 6 * i)) & 0x3f];
    }
  }
}

}  // namespace

void write_websocket_key(const std::array<uint8_t, 16>& random,
                         std::span<char, kWebsocketKeyChars> out) noexcept {
  write_base64(random, out.data());
}

void write_websocket_accept(const std::array<uint8_t, 20>& digest,
                            std::span<char, kWebsocketAcceptChars> out) noexcept {
  write_base64(digest, out.data());
}

}  // namespace hangu::http
