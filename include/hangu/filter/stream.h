// Stream: one request and its response, whatever the protocol version on either side. It runs the
// filter chains, hands the request to the terminal (the proxy) and the response to the session that
// received the request, and ends by calling every filter's on_stream_end exactly once. One shard.
// It knows no socket and no bytes on the wire: sessions and the proxy do.
//
//   session ──start, on_request_data──▶ Stream ──entry chain, route chain──▶ RequestSink (proxy)
//   session ◀──ResponseWriter────────── Stream ◀──chains in reverse─────────  on_response_*
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "hangu/base/clock.h"
#include "hangu/base/error.h"
#include "hangu/buffer/arena.h"
#include "hangu/buffer/block.h"
#include "hangu/event/loop.h"
#include "hangu/event/timer.h"
#include "hangu/filter/body_collector.h"
#include "hangu/filter/callout.h"
#include "hangu/filter/compressor.h"
#include "hangu/filter/mirror.h"
#include "hangu/filter/snapshot.h"
#include "hangu/filter/stream_handle.h"
#include "hangu/filter/stream_info.h"
#include "hangu/filter/stream_record.h"
#include "hangu/filter/tunnel.h"
#include "hangu/http/local_reply.h"
#include "hangu/http/message.h"

namespace hangu::stats {
class ShardStats;
}

namespace hangu::net {
class Connection;  // here they are only handed from one side to the other
struct RelayEnd;
}  // namespace hangu::net

namespace hangu::filter {

enum class Direction : uint8_t;
class Pacing;

/// What the session of the client's protocol does for a stream. Calls come from within the stream's
/// own functions; an implementation must not destroy the stream before they return.
class ResponseWriter {
 public:
  virtual void write_informational(Stream& stream, const http::ResponseHead& head) noexcept = 0;
  /// Sends stream.response. `end`: no body follows.
  virtual void write_head(Stream& stream, bool end) noexcept = 0;
  virtual void write_data(Stream& stream, buffer::Slice&& data, bool end) noexcept = 0;
  /// Ends the body with trailer fields.
  virtual void write_trailers(Stream& stream, const http::HeaderBlock& trailers) noexcept = 0;
  /// The response cannot be completed: the client must see that it is cut off.
  virtual void abort(Stream& stream) noexcept = 0;
  /// Stops or restarts reading the request body.
  virtual void pause_request(Stream& stream, bool paused) noexcept = 0;
  /// Whether the client takes the response more slowly than it comes.
  virtual bool congested(const Stream& stream) const noexcept = 0;
  /// Where the rest of the body may go as it is; nullptr when it needs framing.
  virtual net::Connection* response_target(const Stream& stream) noexcept = 0;

  /// After 101: gives the client's connection away and ends, until the end of the turn, in favour
  /// of the owner that it returns. nullptr: it carries more than the tunnel, or one half has ended.
  virtual TunnelOwner* release(Stream& /*stream*/, net::RelayEnd& /*client*/) noexcept {
    return nullptr;
  }

 protected:
  ~ResponseWriter() = default;
};

/// Where the request goes after the chain; attached by Terminal::start, ends with `cancel` or by
/// itself after it called Stream::on_response_* with the end or Stream::fail.
class RequestSink {
 public:
  virtual void on_request_data(buffer::Slice&& data, bool end) noexcept = 0;
  virtual void on_request_trailers(const http::HeaderBlock& trailers) noexcept = 0;
  /// Where the rest of the body may go as it is, after pieces of it; nullptr: nowhere.
  virtual net::Connection* request_target() noexcept = 0;
  /// The client has taken enough for more response bytes to be welcome.
  virtual void on_response_writable() noexcept = 0;
  /// The stream is over; the sink must not call it any more.
  virtual void cancel() noexcept = 0;

 protected:
  ~RequestSink() = default;
};

/// The end of the chain. One per shard.
class Terminal {
 public:
  /// Takes the stream over: calls Stream::attach_sink before anything else of it, unless it fails
  /// the stream. `end`: the request has no body. May answer before it returns.
  virtual void start(Stream& stream, bool end) noexcept = 0;

 protected:
  ~Terminal() = default;
};

/// What a stream needs of its shard. Outlives every stream.
class ShardContext {
 public:
  virtual TimePoint now() const noexcept = 0;
  virtual WallTime wall_time() const noexcept = 0;
  virtual uint64_t random() noexcept = 0;
  virtual stats::ShardStats& stats() noexcept = 0;
  virtual uint32_t shard() const noexcept = 0;
  virtual Terminal& terminal() noexcept = 0;
  virtual buffer::BlockPool& small_blocks() noexcept = 0;
  virtual buffer::BlockPool& large_blocks() noexcept = 0;
  virtual Compressors& compressors() noexcept = 0;
  virtual Mirrors& mirrors() noexcept = 0;
  virtual Callouts& callouts() noexcept = 0;
  // For filters that go on later, see event::Loop; what they hand over must go with the stream.
  virtual event::Timers& timers() noexcept = 0;
  virtual void defer(event::Deferred& work) noexcept = 0;
  virtual void queue_costly(event::Costly& work) noexcept = 0;

  /// Of the shard's streams; see Stream::handle().
  StreamHandles& handles() { return handles_; }

  /// Bytes of the shard's memory in bodies that are held back; see Stream::collect_request_body().
  uint64_t& collected_bytes() { return collected_bytes_; }

 protected:
  ~ShardContext() = default;

 private:
  StreamHandles handles_;
  uint64_t collected_bytes_ = 0;
};

/// `origin` of local replies that no filter made.
inline constexpr std::string_view kGatewayOrigin = "gateway";
/// In logs only: the client left before it was answered.
inline constexpr uint16_t kStatusClientClosed = 499;

class Stream {
 public:
  Stream(ShardContext& shard, ResponseWriter& writer, SnapshotRef snapshot,
         const ListenerRuntime& listener);
  /// To end a tunnel whose bytes are counted: on_client_gone(), fail() or finish() comes next.
  Stream(const StreamRecord& record, ResponseWriter& writer);
  ~Stream();

  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  // Messages and facts, open to filters, the session and the proxy.
  http::RequestHead request;
  http::ResponseHead response;
  StreamInfo info;
  FilterState kept;

  buffer::Arena& arena() { return arena_; }

  ShardContext& shard() { return shard_; }

  const ShardContext& shard() const { return shard_; }

  TimePoint now() const { return shard_.now(); }

  const Snapshot& snapshot() const { return *snapshot_; }

  const SnapshotRef& snapshot_ref() const { return snapshot_; }

  const ListenerRuntime& listener() const { return listener_; }

  const RouteRuntime* route() const { return route_; }

  void set_route(const RouteRuntime& route) { route_ = &route; }

  // For the session.
  /// The head is complete. `end`: no body follows.
  void start(bool end) noexcept;
  /// In place of start(): the head is no good, or never became complete. Replies.
  void reject(const Error& error) noexcept;
  void on_request_data(buffer::Slice&& data, bool end) noexcept;
  void on_request_trailers(const http::HeaderBlock& trailers) noexcept;
  /// Where the rest of the body may go as it is, nobody wanting to see it; nullptr: nowhere.
  net::Connection* request_target() const noexcept;
  /// So many bytes of the body went to request_target().
  void on_request_spliced(uint64_t bytes, bool end) noexcept;
  void on_response_writable() noexcept;
  /// The client broke the protocol, ran into a limit or was too slow: reply if that is still
  /// possible.
  void on_request_error(const Error& error) noexcept;
  /// The client is gone: no reply can reach it.
  void on_client_gone() noexcept;
  /// The stream is over (everything is sent, or nothing more will be): runs on_stream_end.
  void finish() noexcept;

  // For filters.
  /// What of the config would have decided about it, had it been in force; `what` outlives the
  /// stream. Once each.
  void note_shadow(std::string_view what) noexcept;
  /// For a piece of body that takes the place of another: at least so many bytes.
  buffer::BlockRef make_block(size_t bytes) noexcept;
  /// Answers in place of the upstream; the chain sees nothing more but on_stream_end.
  void send_local_reply(const http::LocalReply& reply, std::string_view origin) noexcept;
  void resume_request() noexcept;
  void resume_response() noexcept;
  /// For whoever will call one of these later: look it up in shard().handles() then.
  StreamHandle handle() noexcept;

  /// The same, with `data` in place of the piece that waited.
  void resume_response(buffer::Slice&& data) noexcept;

  /// In on_response_headers(): the filter that calls has nothing to do with this body. It may be
  /// called with it all the same.
  void ignore_response_data() noexcept { ++response_ignored_; }

  /// In on_request_headers(), which has to return kPause then: the body, up to `bytes_max`, comes
  /// to `collector` before the request goes on. A client that waits for 100 (Continue) gets it;
  /// trailers are dropped. False: it is known to be larger already, or memory is short; see
  /// collection_error().
  bool collect_request_body(const BodyCollector& collector, uint64_t bytes_max) noexcept;

  /// Whether collected_body() is all of it, and has not gone on yet.
  bool body_collected() const { return collected_waits_ && request_end_; }

  std::string_view collected_body() const { return collected_.view(); }

  /// Why a body could not be collected.
  Error collection_error() const noexcept;

  /// Holds the bodies back from now on; nullptr: no more.
  void set_pacing(Pacing* pacing) noexcept { pacing_ = pacing; }

  Pacing* pacing() const { return pacing_; }

  /// More of a body may pass.
  void resume_paced(Direction direction) noexcept;

  // For the proxy.
  void on_informational(const http::ResponseHead& head) noexcept;
  /// `response` is filled in. `end`: no body follows.
  void on_response_head(bool end) noexcept;
  void on_response_data(buffer::Slice&& data, bool end) noexcept;
  /// As request_target() and on_request_spliced().
  net::Connection* response_target() const noexcept;
  void on_response_spliced(uint64_t bytes, bool end) noexcept;
  void on_response_trailers(const http::HeaderBlock& trailers) noexcept;
  /// The upstream side failed: a local reply if no head was sent, else the response is cut off.
  void fail(const Error& error) noexcept;

  /// The sink stays valid until release_sink() or its cancel().
  void attach_sink(RequestSink& sink) noexcept { sink_ = &sink; }

  /// Whether the sink can take request body bytes now.
  void set_request_wanted(bool wanted) noexcept;

  /// See ResponseWriter::release().
  TunnelOwner* release_client(net::RelayEnd& client) noexcept {
    // What a plugin keeps lies in the arena, which a record does not have.
    return kept.plugins == nullptr ? writer_.release(*this, client) : nullptr;
  }

  /// It has become a record, whose end will be reported.
  void retire() noexcept {
    release_sink();
    finished_ = true;
    drop_handle();
  }

  /// Whether more response bytes would only pile up: the client is slow or a filter is waiting.
  bool response_congested() const noexcept { return response_held_ || writer_.congested(*this); }

  /// Whether a filter has paused the response.
  bool response_paused() const noexcept { return response_held_; }

  /// The sink is done with the stream and about to vanish.
  void release_sink() noexcept { sink_ = nullptr; }

  /// All of the request has come, and nothing of it is held back.
  bool request_complete() const { return request_end_ && !collected_waits_; }

  /// A body comes or waits; what goes through a tunnel is none.
  bool has_body() const {
    const bool tunnel = request.upgrade && request.framing == http::BodyFraming::kNone;
    return !request_complete() && !tunnel;
  }

  bool request_paused() const { return request_pause_ != 0; }

  bool head_sent() const { return head_sent_; }

  /// In on_response_headers(): neither body nor trailers follow.
  bool response_is_head_only() const { return held_response_end_; }

  bool response_complete() const { return response_end_; }

  bool finished() const { return finished_; }

  /// Whether a filter will want to hear of the end.
  bool end_observed() const noexcept;

  /// Whether a local reply asked for the client's connection to be closed.
  bool close_wanted() const { return close_wanted_; }

 private:
  enum PauseReason : uint8_t { kSink = 1, kFilter = 2, kPace = 4 };

  using FilterList = std::span<const Filter* const>;

  void begin() noexcept;
  void run_request_headers() noexcept;
  void forward_request() noexcept;
  bool count_request_bytes(size_t bytes) noexcept;
  void pass_request_data(buffer::Slice&& data, bool end) noexcept;
  void send_request_data(buffer::Slice&& data, bool end) noexcept;
  void send_held_request_data() noexcept;
  bool end_request_data() noexcept;
  void collect(buffer::Slice&& data, bool end) noexcept;
  bool keep_collected(std::string_view piece) noexcept;
  void pass_collected() noexcept;
  void drop_collected() noexcept;
  void set_request_pause(PauseReason reason, bool paused) noexcept;

  void run_response_headers() noexcept;
  void pass_response_data(buffer::Slice&& data, bool end) noexcept;
  void write_response_data(buffer::Slice&& data, bool end) noexcept;
  void hold_response_data(buffer::Slice&& data, bool end) noexcept;
  void complete_response_fields() noexcept;
  void show_local_reply() noexcept;
  void end_response_data() noexcept;
  void drop_response() noexcept;
  bool response_fits(uint64_t bytes) noexcept;
  void write_grpc_web_trailers(const http::HeaderBlock& trailers) noexcept;
  http::LocalReply as_wanted(const http::LocalReply& reply) noexcept;
  void take_grpc_status(const http::HeaderBlock& fields) noexcept;
  void cancel_sink() noexcept;
  void drop_handle() noexcept;
  void count_end() noexcept;

  /// The filter at `position` in the sequence of both lists, nullptr behind the last.
  const Filter* filter_at(size_t position, FilterList first, FilterList second) const noexcept;
  FilterList own(FilterList (FilterChain::*list)() const) const noexcept;

  buffer::Arena arena_;
  ShardContext& shard_;
  ResponseWriter& writer_;
  SnapshotRef snapshot_;
  const ListenerRuntime& listener_;
  const RouteRuntime* route_ = nullptr;
  RequestSink* sink_ = nullptr;
  StreamHandle handle_;       // none as long as nobody asked
  Pacing* pacing_ = nullptr;  // nullptr: bodies pass as they come
  // A piece of body that waits for a paused filter; its source is paused meanwhile, so one
  // suffices.
  buffer::Slice held_request_data_;
  buffer::Slice held_response_data_;
  const BodyCollector* collector_ = nullptr;  // as long as the body comes in for it
  buffer::Slice collected_;                   // what of the body is held back
  uint64_t collect_max_ = 0;
  uint32_t collected_room_ = 0;     // of its block
  uint64_t response_received_ = 0;  // of the body, from the upstream
  uint16_t request_position_ = 0;   // of the next filter, in the entry chain and then the route's
  uint16_t request_data_position_ = 0;
  uint16_t response_position_ = 0;  // in the route's chain and then the entry's
  uint16_t response_data_position_ = 0;
  uint16_t response_ignored_ = 0;  // by so many filters
  uint8_t request_pause_ = 0;      // PauseReason bits
  bool request_end_ = false;       // the whole request was received
  bool collected_waits_ = false;   // `collected_` has not gone on
  bool collection_short_ = false;  // of memory
  bool request_data_held_ = false;
  bool held_request_end_ = false;
  bool response_held_ = false;  // a filter paused the response
  bool response_data_held_ = false;
  bool held_response_end_ = false;
  bool head_sent_ = false;
  bool response_end_ = false;  // the whole response was handed to the writer
  bool replied_ = false;       // locally
  bool close_wanted_ = false;
  bool started_ = false;
  bool finished_ = false;
};

}  // namespace hangu::filter
