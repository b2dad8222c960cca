// WebsocketFrames: where the frames of a WebSocket begin and end in the bytes that pass (RFC 6455
// §5.2): a control frame of ours may stand between any two of them. A few bytes of state, a few
// nanoseconds a frame. Pure.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace hangu::http {

class WebsocketFrames {
 public:
  /// So many bytes have passed.
  void pass(std::string_view bytes) noexcept;

  /// Whether a frame has just ended, or none has begun.
  bool between() const noexcept { return head_bytes_ == 0 && payload_left_ == 0; }

  /// How many of `bytes`, which come next, end the frame under way; all when they do not. Passes
  /// them. With between() it is 0.
  size_t pass_to_end(std::string_view bytes) noexcept;

 private:
  size_t pass_some(std::string_view bytes) noexcept;
  size_t head_size() const noexcept;
  uint64_t payload_size() const noexcept;

  static constexpr size_t kHeadMin = 2;
  static constexpr size_t kHeadMax = 14;

  uint64_t payload_left_ = 0;
  uint8_t head_bytes_ = 0;  // of a head that has not come as a whole
  std::array<uint8_t, kHeadMax> head_{};
};

/// A Close frame of a server with a code and nothing else.
using CloseFrame = std::array<char, 4>;
CloseFrame close_frame(uint16_t code) noexcept;

inline constexpr uint16_t kCloseGoingAway = 1001;       // RFC 6455 §7.4.1
inline constexpr uint16_t kCloseServiceRestart = 1012;  // IANA's registry: come back in a while

}  // namespace hangu::http
