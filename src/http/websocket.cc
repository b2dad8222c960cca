#include "hangu/http/websocket.h"

namespace hangu::http {

void write_websocket_key(const std::array<uint8_t, 16>& random,
                         std::span<char, kWebsocketKeyChars> out) noexcept {
  constexpr char kAlphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  size_t to = 0;
  for (size_t from = 0; from < random.size(); from += 3) {
    uint32_t group = 0;
    for (size_t i = from; i < from + 3; ++i) {
      group = (group << 8) | (i < random.size() ? random[i] : 0U);
    }
    for (int shift = 18; shift >= 0; shift -= 6) {
      out[to++] = kAlphabet[(group >> shift) & 0x3f];
    }
  }
  out[kWebsocketKeyChars - 1] = out[kWebsocketKeyChars - 2] = '=';  // 16 bytes: two missing
}

}  // namespace hangu::http
