// FrameReader: takes the frames off one direction of an HTTP/2 connection (RFC 9113 §3.4, §4, §6).
// In place: bodies and field blocks are views of the input, whatever the frame's size, and nothing
// is allocated. It holds the rules that one frame, or the order of frames, can break; streams, flow
// control and HPACK are above it. One connection, one thread; knows no socket.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "hangu/base/result.h"
#include "hangu/codec/http2/protocol.h"

namespace hangu::codec::http2 {

/// A connection error (§5.4.1): what GOAWAY says. `detail` is static text.
struct ConnectionError {
  ErrorCode code = ErrorCode::kInternalError;
  const char* detail = "";
};

struct FrameEvent {
  enum class Kind : uint8_t {
    kNeedMore,        // the whole input is consumed
    kDataBegin,       // `value` bytes of flow control (the payload, padding too), `end_stream`
    kData,            // `piece` of the body
    kDataEnd,         // `value` bytes of those were padding, its length byte too; `end_stream`
    kHeadersBegin,    // `end_stream`
    kFieldBlock,      // `piece` of the field block, from HEADERS or CONTINUATION
    kHeadersEnd,      // the field block is whole; `end_stream` as at its begin
    kPriority,        // §5.3.2: of no effect, but it costs
    kRstStream,       // `error`
    kSetting,         // `setting`, its value checked; every setting of a frame comes by itself
    kSettingsEnd,     // `ack`
    kPing,            // `piece`: 8 bytes, valid until the next call; `ack`
    kGoaway,          // `value`: the last stream, `error`
    kWindowUpdate,    // `value`: the increment, not 0; stream 0 is the connection
    kPriorityUpdate,  // `value`: the stream it is for; `piece`: the Priority field value, valid
                      // until the next call, empty when longer than kPriorityValueMax
    kUnknown,         // `value`: the length of a frame of a type not known, which is skipped
    kStreamError,     // `error`: reset `stream_id` with it (§5.4.2), and go on
  };

  Kind kind = Kind::kNeedMore;
  bool end_stream = false;
  bool ack = false;
  uint32_t stream_id = 0;
  uint32_t value = 0;
  ErrorCode error = ErrorCode::kNoError;  // as received: possibly no known code
  Setting setting;
  std::string_view piece;
  size_t consumed = 0;  // of the input
};

class FrameReader {
 public:
  /// The role that reads. A server reads the client preface first.
  enum class Role : uint8_t { kServer, kClient };

  struct Limits {
    /// Bytes of a payload: SETTINGS_MAX_FRAME_SIZE as we announced it.
    uint32_t frame_size = kFrameSizeDefault;
    /// CONTINUATION frames behind one HEADERS.
    uint32_t continuations = 8;
  };

  static constexpr size_t kPriorityValueMax = 64;

  FrameReader(Role role, const Limits& limits);

  /// Takes the next event off `input`; to be called again with the rest (`consumed` bytes further)
  /// until kNeedMore, also with an empty rest: an event may need no more bytes. After an error
  /// nothing may follow.
  Result<FrameEvent, ConnectionError> next(std::string_view input);

  /// Whether no frame is under way: the peer may close here.
  bool between_frames() const {
    return state_ == State::kHeader && held_ == 0 && block_stream_ == 0;
  }

 private:
  /// An event of kind kNeedMore has nothing to tell: the reader goes on by itself.
  using Step = Result<FrameEvent, ConnectionError>;
  using Check = Result<void, ConnectionError>;

  enum class State : uint8_t {
    kPreface,
    kHeader,
    kPrefix,    // the fixed part of the payload
    kBody,      // DATA
    kBlock,     // a field block
    kSettings,  // between two settings
    kPadding,
    kBodyEnd,   // tells the end of DATA
    kBlockEnd,  // tells the end of a field block, if it is one
    kSkip,
    kFailed,
  };

  bool ready(std::string_view input, size_t& position);
  bool collect(std::string_view input, size_t& position, size_t wanted);
  Step step(std::string_view input, size_t& position);
  Check on_preface(std::string_view input, size_t& position);
  Check on_header();
  Check check_order() const;
  Check check_stream() const;
  Check check_length() const;
  size_t prefix_bytes() const;
  Step on_prefix();
  Step on_data();
  Step on_headers();
  Step on_priority();
  Step on_rst_stream();
  Step on_ping();
  Step on_goaway();
  Step on_window_update();
  Step on_priority_update();
  Step on_unknown();
  Step on_settings();
  Check check_setting(const Setting& setting) const;
  Check take_padding_length();
  FrameEvent take_piece(FrameEvent::Kind kind, std::string_view input, size_t& position);
  void pass_over(std::string_view input, size_t& position);
  FrameEvent on_body_end();
  FrameEvent on_block_end();
  FrameEvent event(FrameEvent::Kind kind) const;
  FrameEvent stream_error(ErrorCode code);

  bool has(uint8_t flag) const { return (flags_ & flag) != 0; }

  Role role_;
  State state_;
  bool settings_seen_ = false;
  Limits limits_;
  // The frame under way.
  FrameType type_{};
  uint8_t flags_ = 0;
  uint32_t stream_id_ = 0;
  uint32_t length_ = 0;
  uint32_t left_ = 0;     // bytes of what the state reads
  uint32_t padding_ = 0;  // bytes at the end of the payload
  // The field block under way: no frame but its CONTINUATION may come (§6.10).
  uint32_t block_stream_ = 0;
  uint32_t continuations_ = 0;
  bool block_ends_stream_ = false;
  // Bytes of a header or fixed part, which may come in pieces.
  uint32_t held_ = 0;
  std::array<char, 4 + kPriorityValueMax> bytes_{};
};

}  // namespace hangu::codec::http2
