// The numbers of HTTP/2 (RFC 9113, with RFC 8441 and RFC 9218): frame types, flags, settings, error
// codes and limits. Constants and nothing else.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace hangu::codec::http2 {

/// What a client sends first (§3.4).
inline constexpr std::string_view kClientPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

inline constexpr size_t kFrameHeaderBytes = 9;        // §4.1
inline constexpr uint32_t kFrameSizeDefault = 16384;  // SETTINGS_MAX_FRAME_SIZE, also its least
inline constexpr uint32_t kFrameSizeMax = (1U << 24) - 1;  // §4.2
inline constexpr uint32_t kWindowDefault = 65535;          // §6.9.2
inline constexpr uint32_t kWindowMax = (1U << 31) - 1;     // §6.9.1
inline constexpr uint32_t kStreamIdMax = (1U << 31) - 1;   // §5.1.1

enum class FrameType : uint8_t {
  kData = 0x00,
  kHeaders = 0x01,
  kPriority = 0x02,
  kRstStream = 0x03,
  kSettings = 0x04,
  kPushPromise = 0x05,
  kPing = 0x06,
  kGoaway = 0x07,
  kWindowUpdate = 0x08,
  kContinuation = 0x09,
  kPriorityUpdate = 0x10,  // RFC 9218 §7.1
};

/// Bits of the flags byte; which of them a type knows is told in §6. The rest are ignored.
inline constexpr uint8_t kFlagEndStream = 0x01;
inline constexpr uint8_t kFlagAck = 0x01;
inline constexpr uint8_t kFlagEndHeaders = 0x04;
inline constexpr uint8_t kFlagPadded = 0x08;
inline constexpr uint8_t kFlagPriority = 0x20;

enum class SettingId : uint16_t {
  kHeaderTableSize = 0x01,
  kEnablePush = 0x02,
  kMaxConcurrentStreams = 0x03,
  kInitialWindowSize = 0x04,
  kMaxFrameSize = 0x05,
  kMaxHeaderListSize = 0x06,
  kEnableConnectProtocol = 0x08,  // RFC 8441 §3
  kNoRfc7540Priorities = 0x09,    // RFC 9218 §2.1
};

struct Setting {
  SettingId id{};  // possibly none of those above: unknown settings are ignored (§6.5.2)
  uint32_t value = 0;
};

enum class ErrorCode : uint32_t {
  kNoError = 0x00,
  kProtocolError = 0x01,
  kInternalError = 0x02,
  kFlowControlError = 0x03,
  kSettingsTimeout = 0x04,
  kStreamClosed = 0x05,
  kFrameSizeError = 0x06,
  kRefusedStream = 0x07,
  kCancel = 0x08,
  kCompressionError = 0x09,
  kConnectError = 0x0a,
  kEnhanceYourCalm = 0x0b,
  kInadequateSecurity = 0x0c,
  kHttp11Required = 0x0d,
};

/// The name that RFC 9113 §7 gives it, "PROTOCOL_ERROR"; "UNKNOWN" for any other number.
const char* to_string(ErrorCode code) noexcept;

}  // namespace hangu::codec::http2
