#include "hangu/codec/http2/frame_reader.h"

#include <algorithm>
#include <cstring>

#include "hangu/base/assert.h"

#include "codec/http2/octets.h"

namespace hangu::codec::http2 {

namespace {

using Kind = FrameEvent::Kind;

constexpr size_t kSettingBytes = 6;
constexpr size_t kPriorityBytes = 5;

Failure<ConnectionError> error(ErrorCode code, const char* detail) {
  return {ConnectionError{code, detail}};
}

}  // namespace

FrameReader::FrameReader(Role role, const Limits& limits)
    : role_(role),
      state_(role == Role::kServer ? State::kPreface : State::kHeader),
      limits_(limits) {}

Result<FrameEvent, ConnectionError> FrameReader::next(std::string_view input) {
  HANGU_ASSERT(state_ != State::kFailed);
  size_t position = 0;
  while (ready(input, position)) {
    Step told = step(input, position);
    if (!told) {
      state_ = State::kFailed;
      return told;
    }
    if (told->kind != Kind::kNeedMore) {
      told->consumed = position;
      return told;
    }
  }
  FrameEvent more;
  more.consumed = position;
  return more;
}

/// Whether the state has the bytes that it needs for its next step.
bool FrameReader::ready(std::string_view input, size_t& position) {
  switch (state_) {
    case State::kHeader: return collect(input, position, kFrameHeaderBytes);
    case State::kPrefix: return collect(input, position, prefix_bytes());
    case State::kSettings: return left_ == 0 || collect(input, position, kSettingBytes);
    case State::kPreface: return position < input.size();
    case State::kBody:
    case State::kBlock:
    case State::kPadding:
    case State::kSkip: return left_ == 0 || position < input.size();
    case State::kBodyEnd:
    case State::kBlockEnd: return true;
    case State::kFailed: return false;
  }
  return false;
}

/// Gathers `wanted` bytes in bytes_; true once they are all there.
bool FrameReader::collect(std::string_view input, size_t& position, size_t wanted) {
  const size_t taken = std::min(wanted - held_, input.size() - position);
  std::memcpy(bytes_.data() + held_, input.data() + position, taken);
  position += taken;
  held_ += static_cast<uint32_t>(taken);
  if (held_ != wanted) {
    return false;
  }
  held_ = 0;
  return true;
}

FrameReader::Step FrameReader::step(std::string_view input, size_t& position) {
  switch (state_) {
    case State::kPreface:
      if (auto preface = on_preface(input, position); !preface) {
        return Failure<ConnectionError>{preface.error()};
      }
      break;
    case State::kHeader:
      if (auto header = on_header(); !header) {
        return Failure<ConnectionError>{header.error()};
      }
      break;
    case State::kPrefix: return on_prefix();
    case State::kSettings: return on_settings();
    case State::kBody: return take_piece(Kind::kData, input, position);
    case State::kBlock: return take_piece(Kind::kFieldBlock, input, position);
    case State::kPadding:
    case State::kSkip: pass_over(input, position); break;
    case State::kBodyEnd: return on_body_end();
    case State::kBlockEnd: return on_block_end();
    case State::kFailed: break;
  }
  return FrameEvent{};
}

FrameReader::Check FrameReader::on_preface(std::string_view input, size_t& position) {
  const std::string_view wanted = kClientPreface.substr(held_);
  const std::string_view found = input.substr(position, wanted.size());
  if (!wanted.starts_with(found)) {
    return error(ErrorCode::kProtocolError, "not the client preface");
  }
  position += found.size();
  held_ += static_cast<uint32_t>(found.size());
  if (held_ == kClientPreface.size()) {
    held_ = 0;
    state_ = State::kHeader;
  }
  return {};
}

// --- the frame header -------------------------------------------------------------------------

FrameReader::Check FrameReader::on_header() {
  length_ = read_u24(bytes_.data());
  type_ = static_cast<FrameType>(bytes_[3]);
  flags_ = static_cast<uint8_t>(bytes_[4]);
  stream_id_ = read_u31(bytes_.data() + 5);
  padding_ = 0;
  if (length_ > limits_.frame_size) {
    return error(ErrorCode::kFrameSizeError, "a frame is larger than SETTINGS_MAX_FRAME_SIZE");
  }
  for (const auto check :
       {&FrameReader::check_order, &FrameReader::check_stream, &FrameReader::check_length}) {
    if (auto checked = (this->*check)(); !checked) {
      return checked;
    }
  }
  settings_seen_ = true;
  if (type_ == FrameType::kContinuation && ++continuations_ > limits_.continuations) {
    return error(ErrorCode::kEnhanceYourCalm, "too many CONTINUATION frames");
  }
  left_ = length_ - static_cast<uint32_t>(prefix_bytes());
  state_ = State::kPrefix;
  return {};
}

FrameReader::Check FrameReader::check_order() const {
  if (!settings_seen_ && (type_ != FrameType::kSettings || has(kFlagAck))) {
    return error(ErrorCode::kProtocolError, "the first frame is not SETTINGS");
  }
  const bool continues = type_ == FrameType::kContinuation;
  if (block_stream_ != 0 && (!continues || stream_id_ != block_stream_)) {
    return error(ErrorCode::kProtocolError, "a frame within a field block");
  }
  if (block_stream_ == 0 && continues) {
    return error(ErrorCode::kProtocolError, "CONTINUATION without a field block");
  }
  if (type_ == FrameType::kPushPromise) {
    return error(ErrorCode::kProtocolError, "PUSH_PROMISE, and push is not enabled");
  }
  if (type_ == FrameType::kPriorityUpdate && role_ == Role::kClient) {
    return error(ErrorCode::kProtocolError, "PRIORITY_UPDATE from a server");
  }
  return {};
}

FrameReader::Check FrameReader::check_stream() const {
  switch (type_) {
    case FrameType::kData:
    case FrameType::kHeaders:
    case FrameType::kPriority:
    case FrameType::kRstStream:
      if (stream_id_ == 0) {
        return error(ErrorCode::kProtocolError, "a frame of a stream on stream 0");
      }
      break;
    case FrameType::kSettings:
    case FrameType::kPing:
    case FrameType::kGoaway:
    case FrameType::kPriorityUpdate:
      if (stream_id_ != 0) {
        return error(ErrorCode::kProtocolError, "a frame of the connection on a stream");
      }
      break;
    default: break;
  }
  return {};
}

FrameReader::Check FrameReader::check_length() const {
  bool right = true;
  switch (type_) {
    case FrameType::kSettings: right = length_ % kSettingBytes == 0; break;
    case FrameType::kPing:
    case FrameType::kRstStream:
    case FrameType::kWindowUpdate: right = length_ == prefix_bytes(); break;
    default: right = length_ >= prefix_bytes(); break;
  }
  if (!right) {
    return error(ErrorCode::kFrameSizeError, "a frame of the wrong length");
  }
  if (type_ == FrameType::kSettings && has(kFlagAck) && length_ != 0) {
    return error(ErrorCode::kFrameSizeError, "a SETTINGS acknowledgement with settings");
  }
  return {};
}

/// Bytes at the begin of the payload that are gathered before anything is told.
size_t FrameReader::prefix_bytes() const {
  switch (type_) {
    case FrameType::kData: return has(kFlagPadded) ? 1 : 0;
    case FrameType::kHeaders:
      return (has(kFlagPadded) ? 1U : 0U) + (has(kFlagPriority) ? kPriorityBytes : 0U);
    case FrameType::kPriority: return length_ == kPriorityBytes ? kPriorityBytes : 0;
    case FrameType::kRstStream:
    case FrameType::kWindowUpdate: return 4;
    case FrameType::kPing:
    case FrameType::kGoaway: return 8;
    case FrameType::kPriorityUpdate:
      return length_ >= 4 && length_ <= 4 + kPriorityValueMax ? length_ : 4;
    default: return 0;
  }
}

// --- the payload ------------------------------------------------------------------------------

FrameReader::Step FrameReader::on_prefix() {
  switch (type_) {
    case FrameType::kData: return on_data();
    case FrameType::kHeaders: return on_headers();
    case FrameType::kPriority: return on_priority();
    case FrameType::kRstStream: return on_rst_stream();
    case FrameType::kPing: return on_ping();
    case FrameType::kGoaway: return on_goaway();
    case FrameType::kWindowUpdate: return on_window_update();
    case FrameType::kPriorityUpdate: return on_priority_update();
    case FrameType::kSettings: state_ = State::kSettings; return FrameEvent{};
    case FrameType::kContinuation: state_ = State::kBlock; return FrameEvent{};
    case FrameType::kPushPromise: break;
  }
  return on_unknown();
}

FrameReader::Step FrameReader::on_data() {
  if (auto taken = take_padding_length(); !taken) {
    return Failure<ConnectionError>{taken.error()};
  }
  state_ = State::kBody;
  FrameEvent begin = event(Kind::kDataBegin);
  begin.value = length_;
  begin.end_stream = has(kFlagEndStream);
  return begin;
}

FrameReader::Step FrameReader::on_headers() {
  if (auto taken = take_padding_length(); !taken) {
    return Failure<ConnectionError>{taken.error()};
  }
  block_stream_ = stream_id_;
  block_ends_stream_ = has(kFlagEndStream);
  continuations_ = 0;
  state_ = State::kBlock;
  FrameEvent begin = event(Kind::kHeadersBegin);
  begin.end_stream = block_ends_stream_;
  return begin;
}

FrameReader::Check FrameReader::take_padding_length() {
  if (!has(kFlagPadded)) {
    return {};
  }
  padding_ = static_cast<unsigned char>(bytes_[0]);
  if (padding_ > left_) {
    return error(ErrorCode::kProtocolError, "more padding than payload");
  }
  left_ -= padding_;
  return {};
}

FrameReader::Step FrameReader::on_priority() {
  state_ = State::kSkip;
  if (length_ != kPriorityBytes) {
    return stream_error(ErrorCode::kFrameSizeError);
  }
  return event(Kind::kPriority);
}

FrameReader::Step FrameReader::on_rst_stream() {
  state_ = State::kHeader;
  FrameEvent reset = event(Kind::kRstStream);
  reset.error = static_cast<ErrorCode>(read_u32(bytes_.data()));
  return reset;
}

FrameReader::Step FrameReader::on_ping() {
  state_ = State::kHeader;
  FrameEvent ping = event(Kind::kPing);
  ping.ack = has(kFlagAck);
  ping.piece = {bytes_.data(), 8};
  return ping;
}

FrameReader::Step FrameReader::on_goaway() {
  state_ = State::kSkip;  // the debug data
  FrameEvent goaway = event(Kind::kGoaway);
  goaway.value = read_u31(bytes_.data());
  goaway.error = static_cast<ErrorCode>(read_u32(bytes_.data() + 4));
  return goaway;
}

FrameReader::Step FrameReader::on_window_update() {
  state_ = State::kHeader;
  FrameEvent update = event(Kind::kWindowUpdate);
  update.value = read_u31(bytes_.data());
  if (update.value != 0) {
    return update;
  }
  if (stream_id_ == 0) {
    return error(ErrorCode::kProtocolError, "a window update by 0");
  }
  return stream_error(ErrorCode::kProtocolError);
}

FrameReader::Step FrameReader::on_priority_update() {
  state_ = State::kSkip;
  FrameEvent update = event(Kind::kPriorityUpdate);
  update.value = read_u31(bytes_.data());
  update.piece = {bytes_.data() + 4, prefix_bytes() - 4};
  if (update.value == 0) {
    return error(ErrorCode::kProtocolError, "PRIORITY_UPDATE for stream 0");
  }
  return update;
}

FrameReader::Step FrameReader::on_unknown() {
  state_ = State::kSkip;
  FrameEvent unknown = event(Kind::kUnknown);
  unknown.value = length_;
  return unknown;
}

FrameReader::Step FrameReader::on_settings() {
  if (left_ == 0) {
    state_ = State::kHeader;
    FrameEvent end = event(Kind::kSettingsEnd);
    end.ack = has(kFlagAck);
    return end;
  }
  left_ -= static_cast<uint32_t>(kSettingBytes);
  FrameEvent one = event(Kind::kSetting);
  one.setting = {static_cast<SettingId>(read_u16(bytes_.data())), read_u32(bytes_.data() + 2)};
  if (auto checked = check_setting(one.setting); !checked) {
    return Failure<ConnectionError>{checked.error()};
  }
  return one;
}

FrameReader::Check FrameReader::check_setting(const Setting& setting) const {
  const uint32_t value = setting.value;
  switch (setting.id) {
    case SettingId::kEnablePush:
      if (value > (role_ == Role::kServer ? 1U : 0U)) {
        return error(ErrorCode::kProtocolError, "SETTINGS_ENABLE_PUSH out of range");
      }
      break;
    case SettingId::kInitialWindowSize:
      if (value > kWindowMax) {
        return error(ErrorCode::kFlowControlError, "SETTINGS_INITIAL_WINDOW_SIZE out of range");
      }
      break;
    case SettingId::kMaxFrameSize:
      if (value < kFrameSizeDefault || value > kFrameSizeMax) {
        return error(ErrorCode::kProtocolError, "SETTINGS_MAX_FRAME_SIZE out of range");
      }
      break;
    case SettingId::kEnableConnectProtocol:
    case SettingId::kNoRfc7540Priorities:
      if (value > 1) {
        return error(ErrorCode::kProtocolError, "a setting that is 0 or 1 is neither");
      }
      break;
    default: break;
  }
  return {};
}

FrameEvent FrameReader::take_piece(Kind kind, std::string_view input, size_t& position) {
  if (left_ == 0) {
    left_ = padding_;
    state_ = State::kPadding;
    return {};
  }
  FrameEvent taken = event(kind);
  taken.piece = input.substr(position, left_);
  position += taken.piece.size();
  left_ -= static_cast<uint32_t>(taken.piece.size());
  return taken;
}

/// Padding, and what nobody reads.
void FrameReader::pass_over(std::string_view input, size_t& position) {
  const size_t passed = std::min<size_t>(left_, input.size() - position);
  position += passed;
  left_ -= static_cast<uint32_t>(passed);
  if (left_ != 0) {
    return;
  }
  if (state_ == State::kSkip) {
    state_ = State::kHeader;
  } else {
    state_ = type_ == FrameType::kData ? State::kBodyEnd : State::kBlockEnd;
  }
}

FrameEvent FrameReader::on_body_end() {
  state_ = State::kHeader;
  FrameEvent end = event(Kind::kDataEnd);
  end.value = padding_ + (has(kFlagPadded) ? 1 : 0);
  end.end_stream = has(kFlagEndStream);
  return end;
}

FrameEvent FrameReader::on_block_end() {
  state_ = State::kHeader;
  if (!has(kFlagEndHeaders)) {
    return {};
  }
  block_stream_ = 0;
  FrameEvent end = event(Kind::kHeadersEnd);
  end.end_stream = block_ends_stream_;
  return end;
}

FrameEvent FrameReader::event(Kind kind) const {
  FrameEvent made;
  made.kind = kind;
  made.stream_id = stream_id_;
  return made;
}

FrameEvent FrameReader::stream_error(ErrorCode code) {
  FrameEvent made = event(Kind::kStreamError);
  made.error = code;
  return made;
}

}  // namespace hangu::codec::http2
