#include "hangu/http/websocket_frames.h"

#include <algorithm>

namespace hangu::http {
namespace {

constexpr uint8_t kMaskBit = 0x80;
constexpr uint8_t kLengthBits = 0x7f;
constexpr uint8_t kLength16 = 126;
constexpr uint8_t kLength64 = 127;
constexpr size_t kMaskBytes = 4;
constexpr uint8_t kFinalClose = 0x88;

}  // namespace

/// Of the head under way, of which two bytes are there.
size_t WebsocketFrames::head_size() const noexcept {
  const uint8_t length = head_[1] & kLengthBits;
  const size_t extended = length == kLength64 ? 8 : length == kLength16 ? 2 : 0;
  return kHeadMin + extended + ((head_[1] & kMaskBit) != 0 ? kMaskBytes : 0);
}

uint64_t WebsocketFrames::payload_size() const noexcept {
  const uint8_t length = head_[1] & kLengthBits;
  if (length < kLength16) {
    return length;
  }
  uint64_t size = 0;
  const size_t bytes = length == kLength64 ? 8 : 2;
  for (size_t i = 0; i < bytes; ++i) {
    size = (size << 8) | head_[kHeadMin + i];
  }
  return size;
}

/// Up to the end of a payload or a head; how many.
size_t WebsocketFrames::pass_some(std::string_view bytes) noexcept {
  if (payload_left_ != 0) {
    const auto part = static_cast<size_t>(std::min<uint64_t>(payload_left_, bytes.size()));
    payload_left_ -= part;
    return part;
  }
  size_t taken = 0;
  size_t wanted = head_bytes_ < kHeadMin ? kHeadMin : head_size();
  while (taken < bytes.size() && head_bytes_ < wanted) {
    head_[head_bytes_++] = static_cast<uint8_t>(bytes[taken++]);
    wanted = head_bytes_ < kHeadMin ? kHeadMin : head_size();
  }
  if (head_bytes_ >= kHeadMin && head_bytes_ == wanted) {
    payload_left_ = payload_size();
    head_bytes_ = 0;
  }
  return taken;
}

void WebsocketFrames::pass(std::string_view bytes) noexcept {
  while (!bytes.empty()) {
    bytes.remove_prefix(pass_some(bytes));
  }
}

size_t WebsocketFrames::pass_to_end(std::string_view bytes) noexcept {
  size_t passed = 0;
  while (passed < bytes.size() && !between()) {
    passed += pass_some(bytes.substr(passed));
  }
  return passed;
}

CloseFrame close_frame(uint16_t code) noexcept {
  return {static_cast<char>(kFinalClose), 2, static_cast<char>(code >> 8),
          static_cast<char>(code & 0xff)};
}

}  // namespace hangu::http
