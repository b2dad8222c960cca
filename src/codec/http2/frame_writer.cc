#include "hangu/codec/http2/frame_writer.h"

#include <cstring>

#include "hangu/base/assert.h"

#include "codec/http2/octets.h"

namespace hangu::codec::http2 {

size_t write_frame_header(char* out, const FrameHeader& header) noexcept {
  HANGU_ASSERT(header.length <= kFrameSizeMax);
  write_u24(out, header.length);
  out[3] = static_cast<char>(header.type);
  out[4] = static_cast<char>(header.flags);
  write_u32(out + 5, header.stream_id);
  return kFrameHeaderBytes;
}

size_t write_settings(char* out, std::span<const Setting> settings) noexcept {
  const auto length = static_cast<uint32_t>(settings_bytes(settings.size()) - kFrameHeaderBytes);
  char* at = out + write_frame_header(out, {.length = length, .type = FrameType::kSettings});
  for (const Setting& setting : settings) {
    write_u16(at, static_cast<uint16_t>(setting.id));
    write_u32(at + 2, setting.value);
    at += 6;
  }
  return static_cast<size_t>(at - out);
}

size_t write_settings_ack(char* out) noexcept {
  return write_frame_header(out, {.type = FrameType::kSettings, .flags = kFlagAck});
}

size_t write_rst_stream(char* out, uint32_t stream_id, ErrorCode code) noexcept {
  write_frame_header(out, {.length = 4, .type = FrameType::kRstStream, .stream_id = stream_id});
  write_u32(out + kFrameHeaderBytes, static_cast<uint32_t>(code));
  return kRstStreamBytes;
}

size_t write_ping(char* out, std::string_view opaque, bool ack) noexcept {
  HANGU_ASSERT(opaque.size() == 8);
  const uint8_t flags = ack ? kFlagAck : 0;
  write_frame_header(out, {.length = 8, .type = FrameType::kPing, .flags = flags});
  std::memcpy(out + kFrameHeaderBytes, opaque.data(), 8);
  return kPingBytes;
}

size_t write_goaway(char* out, uint32_t last_stream_id, ErrorCode code) noexcept {
  write_frame_header(out, {.length = 8, .type = FrameType::kGoaway});
  write_u32(out + kFrameHeaderBytes, last_stream_id);
  write_u32(out + kFrameHeaderBytes + 4, static_cast<uint32_t>(code));
  return kGoawayBytes;
}

size_t write_window_update(char* out, uint32_t stream_id, uint32_t increment) noexcept {
  write_frame_header(out, {.length = 4, .type = FrameType::kWindowUpdate, .stream_id = stream_id});
  write_u32(out + kFrameHeaderBytes, increment);
  return kWindowUpdateBytes;
}

}  // namespace hangu::codec::http2
