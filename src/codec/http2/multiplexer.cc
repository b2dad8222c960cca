#include "hangu/codec/http2/multiplexer.h"

#include <algorithm>
#include <span>
#include <utility>

#include "hangu/base/assert.h"
#include "hangu/codec/http2/frame_writer.h"
#include "hangu/codec/http2/head_encoder.h"

namespace hangu::codec::http2 {
namespace {

using Kind = FrameEvent::Kind;
using Role = FrameReader::Role;

// What the frames of a peer cost that cause work and bring nothing, in tokens of its budget.
constexpr uint32_t kCostOfFrame = 1;
constexpr uint32_t kCostOfReset = 2;
// A stream that we have to reset for what the peer did: the work for it was begun (MadeYouReset).
constexpr uint32_t kCostOfError = 5;

// What sending body bytes earns: a peer that takes them has to tell us so.
constexpr uint32_t kEarnedPerFrame = 2;
constexpr uint32_t kBytesPerToken = 1024;

// One frame at a time: small enough for another stream to come in between.
constexpr uint32_t kDataFrameBytesMax = 16 * 1024;

Failure<ConnectionError> error(ErrorCode code, const char* detail) {
  return {ConnectionError{code, detail}};
}

FrameReader::Limits reader_limits(const MultiplexerOptions& options) {
  return {.frame_size = kFrameSizeDefault, .continuations = options.continuations};
}

}  // namespace

Multiplexer::Multiplexer(const MultiplexerOptions& options, MultiplexerHandler& handler)
    : options_(options),
      handler_(handler),
      reader_(options.role, reader_limits(options)),
      budget_(options.budget),
      receive_window_(options.connection_window) {}

void Multiplexer::begin() noexcept {
  std::array<Setting, 6> settings;
  size_t count = 0;
  if (options_.role == Role::kServer) {
    settings[count++] = {SettingId::kMaxConcurrentStreams, options_.concurrent_streams};
    settings[count++] = {SettingId::kEnableConnectProtocol, 1};
    settings[count++] = {SettingId::kNoRfc7540Priorities, 1};
  } else {
    handler_.write_copy(kClientPreface);
    settings[count++] = {SettingId::kEnablePush, 0};
  }
  settings[count++] = {SettingId::kInitialWindowSize, options_.stream_window};
  settings[count++] = {SettingId::kMaxHeaderListSize, options_.fields.list_bytes};
  char frames[settings_bytes(settings.size()) + kWindowUpdateBytes];
  size_t written = write_settings(frames, std::span(settings.data(), count));
  if (options_.connection_window > kWindowDefault) {
    written +=
        write_window_update(frames + written, 0, options_.connection_window - kWindowDefault);
  }
  handler_.write_copy({frames, written});
}

// --- receiving --------------------------------------------------------------------------------

Result<void, ConnectionError> Multiplexer::receive(buffer::Slice&& data, TimePoint now) noexcept {
  now_ = now;
  std::string_view input = data.view();
  for (;;) {
    const auto event = reader_.next(input);
    Check handled = event ? Check{} : Check{Failure<ConnectionError>{event.error()}};
    if (event) {
      if (event->kind == Kind::kNeedMore) {
        break;
      }
      input.remove_prefix(event->consumed);
      handled = handle(*event, data);
    }
    if (!handled) {
      failed_ = true;
      send_goaway(last_peer_stream_, handled.error().code);
      return handled;
    }
  }
  pump();
  return {};
}

Multiplexer::Check Multiplexer::handle(const FrameEvent& event,
                                       const buffer::Slice& data) noexcept {
  switch (event.kind) {
    case Kind::kNeedMore: return {};
    case Kind::kDataBegin: return on_data_begin(event);
    case Kind::kData: return on_data_piece(data.subslice(event.piece));
    case Kind::kDataEnd: return on_data_end(event);
    case Kind::kHeadersBegin: return on_headers_begin(event);
    case Kind::kFieldBlock:
      if (!decoder_.decode(event.piece, false, section_)) {
        return error(ErrorCode::kCompressionError, "malformed field block");
      }
      return {};
    case Kind::kHeadersEnd: return on_headers_end(event);
    case Kind::kPriority: return pay(kCostOfFrame, "too many PRIORITY frames");
    case Kind::kRstStream: return on_rst_stream(event);
    case Kind::kSetting: return on_setting(event.setting);
    case Kind::kSettingsEnd: return on_settings_end(event.ack);
    case Kind::kPing: return on_ping(event);
    case Kind::kGoaway:
      peer_goaway_ = true;
      handler_.on_goaway(event.value, event.error);
      return {};
    case Kind::kWindowUpdate: return on_window_update(event);
    case Kind::kPriorityUpdate: return on_priority_update(event);
    case Kind::kUnknown: return pay(kCostOfFrame, "too many frames of unknown types");
    case Kind::kStreamError: {
      if (StreamSlot* slot = streams_.find(event.stream_id)) {
        return refuse_stream(*slot, event.error);
      }
      if (missing(event.stream_id) == Missing::kIdle) {
        return error(ErrorCode::kProtocolError, "a frame on an idle stream");
      }
      return pay(kCostOfError, "too many frames in error");
    }
  }
  return {};
}

Multiplexer::Check Multiplexer::pay(uint32_t tokens, const char* detail) noexcept {
  if (!budget_.spend(tokens, now_)) {
    return error(ErrorCode::kEnhanceYourCalm, detail);
  }
  return {};
}

/// Ends a stream for what its peer did, which the peer pays for: the work it began is not undone by
/// the reset.
Multiplexer::Check Multiplexer::refuse_stream(StreamSlot& slot, ErrorCode code) noexcept {
  handler_.on_reset(slot, code, false);
  reset(slot, code);
  return pay(kCostOfError, "too many streams in error");
}

bool Multiplexer::is_ours(uint32_t id) const noexcept {
  return ((id & 1) != 0) == (options_.role == Role::kClient);
}

Multiplexer::Missing Multiplexer::missing(uint32_t id) const noexcept {
  if (is_ours(id) ? id >= next_stream_ : id > last_peer_stream_) {
    return Missing::kIdle;
  }
  const bool was_reset = std::find(resets_.begin(), resets_.end(), id) != resets_.end();
  return was_reset || id > goaway_stream_ ? Missing::kReset : Missing::kClosed;
}

// --- heads ------------------------------------------------------------------------------------

Multiplexer::Check Multiplexer::on_headers_begin(const FrameEvent& event) noexcept {
  in_section_ = true;
  section_slot_ = nullptr;
  section_.begin_discarded();
  if (StreamSlot* slot = streams_.find(event.stream_id)) {
    return begin_next_section(*slot, event.end_stream);
  }
  if (missing(event.stream_id) == Missing::kIdle) {
    if (options_.role == Role::kServer && !is_ours(event.stream_id) && (event.stream_id & 1) != 0) {
      return open_from_peer(event.stream_id);
    }
    return error(ErrorCode::kProtocolError, "HEADERS on a stream that cannot be opened");
  }
  return on_headers_of_missing(event.stream_id);
}

Multiplexer::Check Multiplexer::on_headers_of_missing(uint32_t id) noexcept {
  if (options_.role == Role::kClient) {
    return {};  // an answer that crossed with our reset
  }
  if (missing(id) == Missing::kClosed) {
    return error(ErrorCode::kStreamClosed, "HEADERS on a closed stream");
  }
  return pay(kCostOfFrame, "too many frames on closed streams");
}

/// Trailers, or behind interim responses the next head.
Multiplexer::Check Multiplexer::begin_next_section(StreamSlot& slot, bool end_stream) noexcept {
  if (slot.remote_ended_) {
    return refuse_stream(slot, ErrorCode::kStreamClosed);
  }
  section_is_trailers_ = slot.head_received_;
  if (section_is_trailers_ && !end_stream) {
    return refuse_stream(slot, ErrorCode::kProtocolError);
  }
  section_slot_ = &slot;
  handler_.on_section(slot, section_is_trailers_, section_);
  return {};
}

Multiplexer::Check Multiplexer::open_from_peer(uint32_t id) noexcept {
  last_peer_stream_ = id;
  if (id > goaway_stream_) {
    return {};  // it was told: whoever sent this opens it anew elsewhere
  }
  StreamSlot* slot = streams_.size() < options_.concurrent_streams ? handler_.on_open(id) : nullptr;
  if (slot == nullptr) {
    write_rst(id, ErrorCode::kRefusedStream);
    return pay(kCostOfReset, "too many streams beyond SETTINGS_MAX_CONCURRENT_STREAMS");
  }
  slot->id_ = id;
  slot->send_window_ = peer_initial_window_;
  slot->receive_window_ = options_.stream_window;
  streams_.insert(*slot);
  section_slot_ = slot;
  section_is_trailers_ = false;
  handler_.on_section(*slot, false, section_);
  return {};
}

Multiplexer::Check Multiplexer::on_headers_end(const FrameEvent& event) noexcept {
  in_section_ = false;
  if (!decoder_.decode({}, true, section_)) {
    return error(ErrorCode::kCompressionError, "malformed field block");
  }
  StreamSlot* slot = std::exchange(section_slot_, nullptr);
  if (slot == nullptr) {
    return {};
  }
  const uint32_t id = slot->id_;
  if (section_is_trailers_) {
    if (slot->body_left_ > 0) {
      return refuse_stream(*slot, ErrorCode::kProtocolError);
    }
    slot->remote_ended_ = true;
    handler_.on_trailers(*slot, section_);
  } else {
    slot->remote_ended_ = event.end_stream;
    slot->head_received_ = handler_.on_head(*slot, section_, event.end_stream);
  }
  // The handler may have ended it.
  if (slot = streams_.find(id); slot != nullptr && slot->remote_ended_) {
    end_remote(*slot);
  }
  if (section_.malformed()) {
    return pay(kCostOfError, "too many malformed heads");
  }
  return {};
}

// --- bodies -----------------------------------------------------------------------------------

Multiplexer::Check Multiplexer::on_data_begin(const FrameEvent& event) noexcept {
  data_slot_ = nullptr;
  data_bytes_ = event.value;
  if (event.value > receive_window_) {
    return error(ErrorCode::kFlowControlError, "more bytes than the connection's window");
  }
  receive_window_ -= event.value;
  StreamSlot* slot = streams_.find(event.stream_id);
  if (slot == nullptr) {
    return_connection_credit(event.value);
    switch (missing(event.stream_id)) {
      case Missing::kIdle: return error(ErrorCode::kProtocolError, "DATA on an idle stream");
      case Missing::kReset: return {};
      case Missing::kClosed: break;
    }
    write_rst(event.stream_id, ErrorCode::kStreamClosed);
    return pay(kCostOfError, "too many frames on closed streams");
  }
  ErrorCode problem = ErrorCode::kNoError;
  if (slot->remote_ended_) {
    problem = ErrorCode::kStreamClosed;
  } else if (!slot->head_received_) {
    problem = ErrorCode::kProtocolError;
  } else if (event.value > slot->receive_window_) {
    problem = ErrorCode::kFlowControlError;
  }
  if (problem != ErrorCode::kNoError) {
    return_connection_credit(event.value);
    return refuse_stream(*slot, problem);
  }
  slot->receive_window_ -= event.value;
  slot->unconsumed_ += event.value;
  data_slot_ = slot;
  if (event.value == 0 && !event.end_stream) {
    return pay(kCostOfFrame, "too many empty DATA frames");
  }
  return {};
}

Multiplexer::Check Multiplexer::on_data_piece(buffer::Slice&& piece) noexcept {
  StreamSlot* slot = data_slot_;
  if (slot == nullptr) {
    return {};
  }
  if (slot->body_left_ >= 0) {
    if (slot->body_left_ < static_cast<int64_t>(piece.size)) {
      return refuse_stream(*slot, ErrorCode::kProtocolError);
    }
    slot->body_left_ -= piece.size;
  }
  handler_.on_data(*slot, std::move(piece), false);
  return {};
}

Multiplexer::Check Multiplexer::on_data_end(const FrameEvent& event) noexcept {
  StreamSlot* slot = std::exchange(data_slot_, nullptr);
  if (slot == nullptr) {
    return {};
  }
  if (event.value != 0) {
    consume(*slot, event.value);
    // Padding hides the length of what it pads; a frame of nothing else hides nothing.
    if (event.value == data_bytes_ && !event.end_stream) {
      return pay(kCostOfFrame, "too many DATA frames of padding");
    }
  }
  if (!event.end_stream) {
    return {};
  }
  if (slot->body_left_ > 0) {
    return refuse_stream(*slot, ErrorCode::kProtocolError);
  }
  const uint32_t id = slot->id_;
  slot->remote_ended_ = true;
  handler_.on_data(*slot, buffer::Slice{}, true);
  if (slot = streams_.find(id); slot != nullptr) {
    end_remote(*slot);
  }
  return {};
}

void Multiplexer::expect_body(StreamSlot& slot, uint64_t bytes) noexcept {
  slot.body_left_ = static_cast<int64_t>(std::min<uint64_t>(bytes, INT64_MAX));
}

void Multiplexer::consume(StreamSlot& slot, size_t bytes) noexcept {
  const auto taken = static_cast<uint32_t>(std::min<size_t>(bytes, slot.unconsumed_));
  slot.unconsumed_ -= taken;
  return_connection_credit(taken);
  if (!slot.remote_ended_) {
    slot.unreturned_ += taken;
    if (slot.unreturned_ >= options_.stream_window / 2) {
      slot.receive_window_ += slot.unreturned_;
      return_credit(slot.id_, slot.unreturned_, options_.stream_window);
    }
  }
}

void Multiplexer::return_connection_credit(uint32_t bytes) noexcept {
  unreturned_ += bytes;
  if (unreturned_ >= options_.connection_window / 2) {
    receive_window_ += unreturned_;
    return_credit(0, unreturned_, options_.connection_window);
  }
}

void Multiplexer::return_credit(uint32_t id, uint32_t& unreturned, uint32_t window) noexcept {
  HANGU_DCHECK(unreturned <= window);
  char frame[kWindowUpdateBytes];
  handler_.write_copy({frame, write_window_update(frame, id, unreturned)});
  unreturned = 0;
}

// --- the other frames -------------------------------------------------------------------------

Multiplexer::Check Multiplexer::on_window_update(const FrameEvent& event) noexcept {
  if (event.stream_id == 0) {
    send_window_ += event.value;
    if (send_window_ > kWindowMax) {
      return error(ErrorCode::kFlowControlError, "the connection's window is too large");
    }
    return pay(kCostOfFrame, "too many WINDOW_UPDATE frames");
  }
  StreamSlot* slot = streams_.find(event.stream_id);
  if (slot == nullptr) {
    if (missing(event.stream_id) == Missing::kIdle) {
      return error(ErrorCode::kProtocolError, "WINDOW_UPDATE on an idle stream");
    }
    return pay(kCostOfFrame, "too many WINDOW_UPDATE frames");
  }
  slot->send_window_ += event.value;
  if (slot->send_window_ > kWindowMax) {
    return refuse_stream(*slot, ErrorCode::kFlowControlError);
  }
  mark_ready(*slot);
  return pay(kCostOfFrame, "too many WINDOW_UPDATE frames");
}

Multiplexer::Check Multiplexer::on_rst_stream(const FrameEvent& event) noexcept {
  StreamSlot* slot = streams_.find(event.stream_id);
  if (slot == nullptr) {
    if (missing(event.stream_id) == Missing::kIdle) {
      return error(ErrorCode::kProtocolError, "RST_STREAM on an idle stream");
    }
    return pay(kCostOfFrame, "too many RST_STREAM frames");
  }
  handler_.on_reset(*slot, event.error, true);
  close(*slot);
  return pay(kCostOfReset, "too many streams reset");
}

Multiplexer::Check Multiplexer::on_setting(const Setting& setting) noexcept {
  switch (setting.id) {
    case SettingId::kHeaderTableSize: encoder_.set_table_limit(setting.value); break;
    case SettingId::kMaxConcurrentStreams: peer_concurrent_ = setting.value; break;
    case SettingId::kInitialWindowSize: return change_initial_window(setting.value);
    case SettingId::kMaxFrameSize: peer_frame_size_ = setting.value; break;
    case SettingId::kEnableConnectProtocol:
      if (peer_extended_connect_ && setting.value == 0) {
        return error(ErrorCode::kProtocolError, "SETTINGS_ENABLE_CONNECT_PROTOCOL taken back");
      }
      peer_extended_connect_ = setting.value != 0;
      break;
    default: break;
  }
  return pay(kCostOfFrame, "too many settings");
}

/// §6.9.2: it changes the windows of all streams, which may become negative.
Multiplexer::Check Multiplexer::change_initial_window(uint32_t value) noexcept {
  const int64_t change = int64_t{value} - peer_initial_window_;
  peer_initial_window_ = value;
  bool fits = true;
  streams_.for_each([&](StreamSlot& slot) {
    slot.send_window_ += change;
    fits = fits && slot.send_window_ <= kWindowMax;
    mark_ready(slot);
  });
  if (!fits) {
    return error(ErrorCode::kFlowControlError, "a stream's window is too large");
  }
  return pay(kCostOfFrame, "too many settings");
}

Multiplexer::Check Multiplexer::on_settings_end(bool ack) noexcept {
  if (!ack) {
    char frame[settings_bytes(0)];
    handler_.write_copy({frame, write_settings_ack(frame)});
  }
  handler_.on_settings(ack);
  return pay(kCostOfFrame, "too many SETTINGS frames");
}

Multiplexer::Check Multiplexer::on_ping(const FrameEvent& event) noexcept {
  if (event.ack) {
    handler_.on_ping_ack(event.piece);
  } else {
    char frame[kPingBytes];
    handler_.write_copy({frame, write_ping(frame, event.piece, true)});
  }
  return pay(kCostOfFrame, "too many PING frames");
}

Multiplexer::Check Multiplexer::on_priority_update(const FrameEvent& event) noexcept {
  if (StreamSlot* slot = streams_.find(event.value)) {
    set_priority(*slot, parse_priority(event.piece));
  }
  return pay(kCostOfFrame, "too many PRIORITY_UPDATE frames");
}

// --- sending ----------------------------------------------------------------------------------

bool Multiplexer::can_open() const noexcept {
  return streams_.size() < peer_concurrent_ && next_stream_ <= goaway_stream_ &&
         next_stream_ <= kStreamIdMax && !peer_goaway_ && !failed_;
}

void Multiplexer::open(StreamSlot& slot) noexcept {
  HANGU_ASSERT(options_.role == Role::kClient && can_open());
  slot.id_ = next_stream_;
  next_stream_ += 2;
  slot.send_window_ = peer_initial_window_;
  slot.receive_window_ = options_.stream_window;
  streams_.insert(slot);
}

void Multiplexer::send_head(StreamSlot& slot, buffer::Slice&& block, bool end) noexcept {
  // The block must leave whatever happened to its stream: the encoder's table has changed with it.
  if (streams_.find(slot.id_) != &slot || slot.local_ended_) {
    HANGU_DCHECK(false);
    return;
  }
  slot.end_queued_ = slot.end_queued_ || end;
  write_block(slot.id_, std::move(block), end);
  if (end) {
    end_local(slot);
  }
}

/// HEADERS, and CONTINUATION for what does not fit one frame.
void Multiplexer::write_block(uint32_t id, buffer::Slice&& block, bool end) noexcept {
  FrameType type = FrameType::kHeaders;
  uint8_t flags = end ? kFlagEndStream : 0;
  do {
    const uint32_t part = std::min(block.size, peer_frame_size_);
    if (part == block.size) {
      flags = static_cast<uint8_t>(flags | kFlagEndHeaders);
    }
    char header[kFrameHeaderBytes];
    handler_.write_copy(
        {header, write_frame_header(
                     header, {.length = part, .type = type, .flags = flags, .stream_id = id})});
    handler_.write(block.subslice(block.view().substr(0, part)));
    block.remove_prefix(part);
    type = FrameType::kContinuation;
    flags = 0;
  } while (block.size != 0);
}

bool Multiplexer::may_send_at_once(const StreamSlot& slot, size_t bytes) const noexcept {
  const bool none_waits =
      std::all_of(ready_.begin(), ready_.end(), [](const auto& list) { return list.empty(); });
  return !pumping_ && none_waits && slot.queue_.empty() && bytes <= peer_frame_size_ &&
         bytes <= kDataFrameBytesMax && static_cast<int64_t>(bytes) <= slot.send_window_ &&
         static_cast<int64_t>(bytes) <= send_window_ && !handler_.output_congested();
}

void Multiplexer::send_data(StreamSlot& slot, buffer::Slice&& data, bool end) noexcept {
  if (slot.end_queued_ || (data.size == 0 && !end)) {
    return;
  }
  slot.end_queued_ = end;
  if (may_send_at_once(slot, data.size)) {
    const uint32_t size = data.size;
    write_data_header(slot, size, end);
    if (size != 0) {
      handler_.write(std::move(data));
    }
    count_sent(slot, size);
    if (end) {
      end_local(slot);
    }
    return;
  }
  slot.queue_.append(std::move(data));
  slot.tell_writable_ = slot.tell_writable_ || congested(slot);
  mark_ready(slot);
  pump();
}

void Multiplexer::send_trailers(StreamSlot& slot, const http::HeaderBlock& trailers,
                                buffer::Arena& arena) noexcept {
  if (slot.end_queued_) {
    return;
  }
  slot.end_queued_ = true;
  slot.trailers_ = &trailers;
  slot.trailers_arena_ = &arena;
  mark_ready(slot);
  pump();
}

void Multiplexer::set_priority(StreamSlot& slot, const Priority& priority) noexcept {
  slot.priority_ = priority;
  if (slot.linked()) {
    slot.unlink();
    mark_ready(slot);
  }
}

/// Puts a stream in line that has something to send and may.
void Multiplexer::mark_ready(StreamSlot& slot) noexcept {
  const bool has_bytes = !slot.queue_.empty();
  const bool ends = slot.end_queued_ && !slot.local_ended_;
  if (slot.linked() || (!has_bytes && !ends) || (has_bytes && slot.send_window_ <= 0)) {
    return;
  }
  ready_[slot.priority_.urgency].push_back(slot);
}

StreamSlot* Multiplexer::next_ready() noexcept {
  for (auto& list : ready_) {
    if (StreamSlot* slot = list.front()) {
      return slot;
    }
  }
  return nullptr;
}

void Multiplexer::pump() noexcept {
  if (std::exchange(pumping_, true)) {
    return;
  }
  while (!handler_.output_congested()) {
    StreamSlot* slot = next_ready();
    if (slot == nullptr || !send_some(*slot)) {
      break;
    }
  }
  pumping_ = false;
}

/// Sends one frame of the first stream in line; false when the connection's window is closed.
bool Multiplexer::send_some(StreamSlot& slot) noexcept {
  if (slot.queue_.empty()) {
    send_end(slot);
    return true;
  }
  if (send_window_ <= 0) {
    return false;
  }
  if (slot.send_window_ <= 0) {
    slot.unlink();
    return true;
  }
  const int64_t allowed =
      std::min<int64_t>({slot.send_window_, send_window_, peer_frame_size_, kDataFrameBytesMax});
  const auto bytes = static_cast<uint32_t>(
      std::min<uint64_t>(static_cast<uint64_t>(allowed), slot.queue_.bytes()));
  const bool end = slot.end_queued_ && slot.trailers_ == nullptr && bytes == slot.queue_.bytes();
  write_data_header(slot, bytes, end);
  for (uint32_t left = bytes; left != 0;) {
    buffer::Slice piece = slot.queue_.take_front(left);
    left -= piece.size;
    handler_.write(std::move(piece));
  }
  count_sent(slot, bytes);
  slot.unlink();
  if (end) {
    end_local(slot);
    return true;
  }
  if (slot.priority_.incremental) {
    mark_ready(slot);  // behind the others of its urgency
  } else if (!slot.queue_.empty() || slot.end_queued_) {
    if (slot.queue_.empty() || slot.send_window_ > 0) {
      ready_[slot.priority_.urgency].push_front(slot);
    }
  }
  if (slot.tell_writable_ &&
      slot.queue_.bytes() <= handler_.bounded(options_.stream_low_watermark)) {
    slot.tell_writable_ = false;
    handler_.on_writable(slot);
  }
  return true;
}

/// Everything before the end has left.
void Multiplexer::send_end(StreamSlot& slot) noexcept {
  slot.unlink();
  if (slot.trailers_ != nullptr) {
    write_block(slot.id_, encode_trailers(encoder_, *slot.trailers_, *slot.trailers_arena_), true);
  } else {
    write_data_header(slot, 0, true);
  }
  end_local(slot);
}

void Multiplexer::write_data_header(const StreamSlot& slot, uint32_t bytes, bool end) noexcept {
  char header[kFrameHeaderBytes];
  handler_.write_copy(
      {header, write_frame_header(header, {.length = bytes,
                                           .type = FrameType::kData,
                                           .flags = end ? kFlagEndStream : uint8_t{0},
                                           .stream_id = slot.id_})});
}

void Multiplexer::count_sent(StreamSlot& slot, uint32_t bytes) noexcept {
  slot.send_window_ -= bytes;
  send_window_ -= bytes;
  slot.sent_bytes_ += bytes;
  budget_.earn(kEarnedPerFrame + bytes / kBytesPerToken);
}

void Multiplexer::send_ping(std::string_view opaque) noexcept {
  char frame[kPingBytes];
  handler_.write_copy({frame, write_ping(frame, opaque, false)});
}

void Multiplexer::send_goaway(uint32_t last_stream, ErrorCode code) noexcept {
  goaway_stream_ = std::min(goaway_stream_, last_stream);
  char frame[kGoawayBytes];
  handler_.write_copy({frame, write_goaway(frame, last_stream, code)});
}

// --- ends -------------------------------------------------------------------------------------

void Multiplexer::end_remote(StreamSlot& slot) noexcept {
  slot.remote_ended_ = true;
  if (slot.local_ended_) {
    close(slot);
  }
}

void Multiplexer::end_local(StreamSlot& slot) noexcept {
  slot.local_ended_ = true;
  slot.end_queued_ = true;
  if (slot.remote_ended_) {
    close(slot);
  } else {
    handler_.on_sent(slot);
  }
}

void Multiplexer::reset(StreamSlot& slot, ErrorCode code) noexcept {
  if (streams_.find(slot.id_) != &slot) {
    return;
  }
  write_rst(slot.id_, code);
  close(slot);
}

void Multiplexer::write_rst(uint32_t id, ErrorCode code) noexcept {
  resets_[resets_next_++ % kResetsKept] = id;
  char frame[kRstStreamBytes];
  handler_.write_copy({frame, write_rst_stream(frame, id, code)});
}

void Multiplexer::close(StreamSlot& slot) noexcept {
  if (streams_.find(slot.id_) != &slot) {
    return;
  }
  streams_.erase(slot);
  slot.unlink();
  slot.queue_.clear();
  slot.end_queued_ = slot.local_ended_ = slot.remote_ended_ = true;
  if (section_slot_ == &slot) {
    section_slot_ = nullptr;
    section_.begin_discarded();
  }
  if (data_slot_ == &slot) {
    data_slot_ = nullptr;
  }
  return_connection_credit(std::exchange(slot.unconsumed_, 0));
  handler_.on_closed(slot);
}

}  // namespace hangu::codec::http2
