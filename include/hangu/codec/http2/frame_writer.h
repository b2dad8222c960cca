// Writes the frames of HTTP/2 whose payload is made here, and the header of the others (RFC 9113
// §4.1, §6). Each call writes at `out`, which has room for the bytes named beside it, and returns
// how many it wrote. Values are the caller's to keep in range. Thread-compatible.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "hangu/codec/http2/protocol.h"

namespace hangu::codec::http2 {

inline constexpr size_t kRstStreamBytes = kFrameHeaderBytes + 4;
inline constexpr size_t kPingBytes = kFrameHeaderBytes + 8;
inline constexpr size_t kGoawayBytes = kFrameHeaderBytes + 8;
inline constexpr size_t kWindowUpdateBytes = kFrameHeaderBytes + 4;

constexpr size_t settings_bytes(size_t count) {
  return kFrameHeaderBytes + 6 * count;
}

struct FrameHeader {
  uint32_t length = 0;  // of the payload, at most kFrameSizeMax
  FrameType type = FrameType::kData;
  uint8_t flags = 0;
  uint32_t stream_id = 0;
};

/// kFrameHeaderBytes.
size_t write_frame_header(char* out, const FrameHeader& header) noexcept;

/// settings_bytes(settings.size()).
size_t write_settings(char* out, std::span<const Setting> settings) noexcept;

/// settings_bytes(0).
size_t write_settings_ack(char* out) noexcept;

/// kRstStreamBytes.
size_t write_rst_stream(char* out, uint32_t stream_id, ErrorCode code) noexcept;

/// kPingBytes. `opaque`: 8 bytes.
size_t write_ping(char* out, std::string_view opaque, bool ack) noexcept;

/// kGoawayBytes.
size_t write_goaway(char* out, uint32_t last_stream_id, ErrorCode code) noexcept;

/// kWindowUpdateBytes. Stream 0 is the connection.
size_t write_window_update(char* out, uint32_t stream_id, uint32_t increment) noexcept;

}  // namespace hangu::codec::http2
