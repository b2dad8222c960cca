// Multiplexer: the protocol of one HTTP/2 connection (RFC 9113), for either role: takes received
// bytes and tells its handler of heads, bodies, ends and resets; takes what is to be sent and
// decides, by window and priority (RFC 9218), when it leaves. Streams' states, both directions of
// flow control, HPACK, settings and the price of useless frames are its business; what a request
// is, who answers it and how long that may take are not. Sans-I/O. One connection, one thread.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "hangu/base/clock.h"
#include "hangu/buffer/arena.h"
#include "hangu/buffer/block.h"
#include "hangu/codec/http2/cost_budget.h"
#include "hangu/codec/http2/field_section.h"
#include "hangu/codec/http2/frame_reader.h"
#include "hangu/codec/http2/hpack.h"
#include "hangu/codec/http2/protocol.h"
#include "hangu/codec/http2/stream_slot.h"
#include "hangu/http/message.h"

namespace hangu::codec::http2 {

struct MultiplexerOptions {
  FrameReader::Role role = FrameReader::Role::kServer;
  uint32_t concurrent_streams = 128;         // of the peer; a client grants none
  uint32_t stream_window = 256 * 1024;       // at least kWindowDefault
  uint32_t connection_window = 1024 * 1024;  // at least kWindowDefault
  uint32_t continuations = 8;
  FieldLimits fields;
  CostBudget::Options budget;
  /// Queued body bytes from which a stream is congested, and below which it may go on.
  uint32_t stream_high_watermark = 64 * 1024;
  uint32_t stream_low_watermark = 16 * 1024;
};

/// Calls come from within receive(), pump() and the functions that send. In each of them the
/// handler may send on any stream and reset any, the one in question included.
class MultiplexerHandler {
 public:
  // The way out. What is written leaves in order.
  virtual void write(buffer::Slice&& bytes) noexcept = 0;
  virtual void write_copy(std::string_view bytes) noexcept = 0;
  /// Whether so much is written and not sent that more body bytes had better wait: see pump().
  virtual bool output_congested() const noexcept = 0;

  /// What may wait in one stream where `bytes` may be as long as memory is plenty.
  virtual size_t bounded(size_t bytes) const noexcept { return bytes; }

  /// Server: the peer opens a stream; nullptr refuses it (REFUSED_STREAM, nothing was done).
  virtual StreamSlot* on_open(uint32_t id) noexcept = 0;
  /// A section of fields begins: a head, or with `trailers` what follows the body. The handler
  /// calls section.begin().
  virtual void on_section(StreamSlot& slot, bool trailers, FieldSection& section) noexcept = 0;
  /// The head is whole: to be finished from `section`. `end`: no body follows. Returns whether it
  /// is final: false for an interim response.
  virtual bool on_head(StreamSlot& slot, FieldSection& section, bool end) noexcept = 0;
  /// The body has ended, with trailers.
  virtual void on_trailers(StreamSlot& slot, FieldSection& section) noexcept = 0;
  /// To be given back with consume() once somebody has taken it.
  virtual void on_data(StreamSlot& slot, buffer::Slice&& data, bool end) noexcept = 0;
  /// The queue of a stream that was congested has emptied.
  virtual void on_writable(StreamSlot& slot) noexcept = 0;
  /// END_STREAM has left, the peer's has not come: whoever needs no more of it resets the stream.
  virtual void on_sent(StreamSlot& slot) noexcept = 0;
  /// The stream ended before its messages did: the peer has reset it (`by_peer`), or broke a rule
  /// and is told so. on_closed() follows.
  virtual void on_reset(StreamSlot& slot, ErrorCode code, bool by_peer) noexcept = 0;
  /// The slot is no longer known here: the last call for it.
  virtual void on_closed(StreamSlot& slot) noexcept = 0;

  /// Streams of ours above `last_stream` were not and will not be processed.
  virtual void on_goaway(uint32_t last_stream, ErrorCode code) noexcept = 0;
  virtual void on_ping_ack(std::string_view opaque) noexcept = 0;
  /// The peer's settings came, or its acknowledgement of ours (`ack`).
  virtual void on_settings(bool ack) noexcept = 0;

 protected:
  ~MultiplexerHandler() = default;
};

class Multiplexer {
 public:
  Multiplexer(const MultiplexerOptions& options, MultiplexerHandler& handler);

  Multiplexer(const Multiplexer&) = delete;
  Multiplexer& operator=(const Multiplexer&) = delete;

  /// Sends the preface: our settings.
  void begin() noexcept;

  /// Takes received bytes. A ConnectionError was told to the peer by GOAWAY: nothing may follow but
  /// what closes the connection.
  Result<void, ConnectionError> receive(buffer::Slice&& data, TimePoint now) noexcept;

  /// Sends what waits, as far as windows and output_congested() allow; to be called when the latter
  /// turns false.
  void pump() noexcept;

  // Sending on a stream. After reset() or the end nothing is sent.

  /// `block`: a section made with encoder(), to be sent before any other is made.
  void send_head(StreamSlot& slot, buffer::Slice&& block, bool end) noexcept;
  void send_data(StreamSlot& slot, buffer::Slice&& data, bool end) noexcept;
  /// Ends the body with trailers, which live in `arena` as long as the slot.
  void send_trailers(StreamSlot& slot, const http::HeaderBlock& trailers,
                     buffer::Arena& arena) noexcept;
  void reset(StreamSlot& slot, ErrorCode code) noexcept;

  bool congested(const StreamSlot& slot) const noexcept {
    return slot.queued_bytes() > handler_.bounded(options_.stream_high_watermark);
  }

  /// So many bytes of on_data() have been taken: the peer may send as many more.
  void consume(StreamSlot& slot, size_t bytes) noexcept;

  /// The length of the body that is to come, to be held against what comes.
  void expect_body(StreamSlot& slot, uint64_t bytes) noexcept;

  void set_priority(StreamSlot& slot, const Priority& priority) noexcept;

  // Client.

  /// Whether a stream may be opened now: within the peer's limit, and nobody has said GOAWAY.
  bool can_open() const noexcept;
  /// Gives `slot` the next number; send_head() must follow.
  void open(StreamSlot& slot) noexcept;

  HpackEncoder& encoder() { return encoder_; }

  void send_ping(std::string_view opaque) noexcept;
  /// Announces the end of the connection: no stream above `last_stream` will be served.
  void send_goaway(uint32_t last_stream, ErrorCode code) noexcept;

  /// The highest stream that the peer has opened.
  uint32_t last_peer_stream() const { return last_peer_stream_; }

  size_t streams() const { return streams_.size(); }

  /// Calls `visit(StreamSlot&)` for each; `visit` may open and reset any.
  template <class Visit>
  void for_each_stream(Visit visit) {
    streams_.for_each(visit);
  }

  bool peer_allows_extended_connect() const { return peer_extended_connect_; }

  bool failed() const { return failed_; }

  /// Whether a section of fields has begun and not ended: only its continuation may come.
  bool in_section() const { return in_section_; }

  bool between_frames() const { return reader_.between_frames(); }

 private:
  using Check = Result<void, ConnectionError>;

  /// Why frames on a stream that is not in the index may come.
  enum class Missing : uint8_t { kIdle, kClosed, kReset };

  Check handle(const FrameEvent& event, const buffer::Slice& data) noexcept;
  Check on_headers_begin(const FrameEvent& event) noexcept;
  Check open_from_peer(uint32_t id) noexcept;
  Check on_headers_of_missing(uint32_t id) noexcept;
  Check begin_next_section(StreamSlot& slot, bool end_stream) noexcept;
  Check on_headers_end(const FrameEvent& event) noexcept;
  Check on_data_begin(const FrameEvent& event) noexcept;
  Check on_data_end(const FrameEvent& event) noexcept;
  Check on_data_piece(buffer::Slice&& piece) noexcept;
  Check on_window_update(const FrameEvent& event) noexcept;
  Check on_rst_stream(const FrameEvent& event) noexcept;
  Check on_setting(const Setting& setting) noexcept;
  Check on_settings_end(bool ack) noexcept;
  Check on_ping(const FrameEvent& event) noexcept;
  Check on_priority_update(const FrameEvent& event) noexcept;
  Check change_initial_window(uint32_t value) noexcept;
  Check pay(uint32_t tokens, const char* detail) noexcept;
  Check refuse_stream(StreamSlot& slot, ErrorCode code) noexcept;
  Missing missing(uint32_t id) const noexcept;
  bool is_ours(uint32_t id) const noexcept;

  void end_remote(StreamSlot& slot) noexcept;
  void end_local(StreamSlot& slot) noexcept;
  void close(StreamSlot& slot) noexcept;
  void write_rst(uint32_t id, ErrorCode code) noexcept;
  void write_block(uint32_t id, buffer::Slice&& block, bool end) noexcept;
  void write_data_header(const StreamSlot& slot, uint32_t bytes, bool end) noexcept;
  void return_credit(uint32_t id, uint32_t& unreturned, uint32_t window) noexcept;
  void return_connection_credit(uint32_t bytes) noexcept;
  void mark_ready(StreamSlot& slot) noexcept;
  StreamSlot* next_ready() noexcept;
  bool send_some(StreamSlot& slot) noexcept;
  void send_end(StreamSlot& slot) noexcept;
  bool may_send_at_once(const StreamSlot& slot, size_t bytes) const noexcept;
  void count_sent(StreamSlot& slot, uint32_t bytes) noexcept;

  static constexpr size_t kResetsKept = 32;

  MultiplexerOptions options_;
  MultiplexerHandler& handler_;
  FrameReader reader_;
  HpackDecoder decoder_;
  HpackEncoder encoder_;
  CostBudget budget_;
  StreamIndex streams_;
  // Streams with something to send and an open window, by urgency.
  std::array<IntrusiveList<StreamSlot>, Priority::kUrgencyMax + 1> ready_;
  FieldSection section_;
  StreamSlot* section_slot_ = nullptr;  // nullptr: the section is discarded
  StreamSlot* data_slot_ = nullptr;     // of the DATA frame under way; nullptr: it is dropped
  TimePoint now_{};
  int64_t send_window_ = kWindowDefault;
  uint32_t receive_window_;
  uint32_t unreturned_ = 0;
  uint32_t peer_initial_window_ = kWindowDefault;
  uint32_t peer_frame_size_ = kFrameSizeDefault;
  uint32_t peer_concurrent_ = UINT32_MAX;
  uint32_t last_peer_stream_ = 0;
  uint32_t next_stream_ = 1;                    // of ours (client)
  uint32_t goaway_stream_ = kStreamIdMax;       // streams above it are not served any more
  uint32_t data_bytes_ = 0;                     // of the DATA frame under way
  std::array<uint32_t, kResetsKept> resets_{};  // streams that we reset: the peer may not know yet
  uint32_t resets_next_ = 0;
  bool section_is_trailers_ = false;
  bool in_section_ = false;
  bool peer_extended_connect_ = false;
  bool pumping_ = false;
  bool peer_goaway_ = false;  // it has sent one: it serves no more streams of ours
  bool failed_ = false;
};

}  // namespace hangu::codec::http2
