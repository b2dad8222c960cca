// Http2Session: one client connection speaking HTTP/2: lets its Multiplexer carry the streams,
// makes a filter::Stream of each, watches what may take how long, and ends the connection in two
// steps (RFC 9113 §6.8). Http2Stream is one of its streams. Owned by its SessionTable, one shard.
// It knows nothing of routes and upstreams.
#pragma once

#include <cstdint>

#include "hangu/buffer/object_pool.h"
#include "hangu/buffer/output_queue.h"
#include "hangu/codec/http2/multiplexer.h"
#include "hangu/downstream/peer.h"
#include "hangu/downstream/session.h"
#include "hangu/event/timer.h"
#include "hangu/filter/edge_rules.h"
#include "hangu/filter/stream.h"
#include "hangu/http/websocket_frames.h"
#include "hangu/net/connection.h"

namespace hangu::downstream {

class Http2Session;

class Http2Stream final : public codec::http2::StreamSlot, private filter::ResponseWriter {
 public:
  Http2Stream(Http2Session& session, buffer::ObjectPool<filter::Stream>::Ptr stream);
  ~Http2Stream();

 private:
  friend class Http2Session;

  // filter::ResponseWriter
  void write_informational(filter::Stream&, const http::ResponseHead& head) noexcept override;
  void write_head(filter::Stream&, bool end) noexcept override;
  void write_data(filter::Stream&, buffer::Slice&& data, bool end) noexcept override;
  void write_trailers(filter::Stream&, const http::HeaderBlock& trailers) noexcept override;
  void abort(filter::Stream&) noexcept override;
  void pause_request(filter::Stream&, bool paused) noexcept override;
  bool congested(const filter::Stream&) const noexcept override;
  net::Connection* response_target(const filter::Stream&) noexcept override;

  void receive(buffer::Slice&& data, bool end) noexcept;
  void deliver_held() noexcept;
  void touch() noexcept;

  bool awaits_goodbye() const noexcept { return tunnel_ && goodbye_ == 0 && !closed_; }

  void say_goodbye(uint16_t code) noexcept;
  void close_between_frames() noexcept;

  Http2Session& session_;
  buffer::ObjectPool<filter::Stream>::Ptr stream_;
  http::HeaderBlock trailers_;  // of the request
  http::HeaderBlock response_trailers_;
  buffer::OutputQueue held_;  // received, not yet wanted
  TimePoint last_input_{};
  TimePoint last_output_{};
  uint64_t sent_before_ = 0;  // at last_output_
  bool held_end_ = false;
  bool paused_ = false;
  bool delivering_ = false;
  http::WebsocketFrames frames_;  // to the client, of a tunnel
  uint16_t goodbye_ = 0;       // the code of the Close frame that is to follow the frame under way
  bool said_goodbye_ = false;  // nothing comes after it
  bool connect_ = false;       // asked for a tunnel by an extended CONNECT
  bool tunnel_ = false;
  bool closed_ = false;  // the multiplexer has let go of it
};

class Http2Session final : public Session,
                           private net::ConnectionHandler,
                           private codec::http2::MultiplexerHandler {
 public:
  Http2Session(SessionTable& table, ListenerContext& listener, net::ConnectionPtr connection,
               const Peer& peer);
  ~Http2Session() override;

  void begin(buffer::Slice&& seen, buffer::Slice&& data) noexcept override;
  void drain() noexcept override;

  /// All its tunnels.
  bool say_goodbye(uint16_t code) noexcept override;

  bool can_say_goodbye() const noexcept override { return tunnels_ != 0; }

  bool idle() const noexcept override { return multiplexer_.streams() == 0 && requests_ != 0; }

  void close() noexcept override;
  size_t held_bytes() noexcept override;
  uint64_t sent_bytes() const noexcept override;

 private:
  friend class Http2Stream;

  using Slot = codec::http2::StreamSlot;

  struct SessionTimer final : event::Timer {
    explicit SessionTimer(Http2Session& session)
        : owner(session) {}

    void on_timer() noexcept override { owner.on_timeout(); }

    Http2Session& owner;
  };

  // net::ConnectionHandler
  void on_connected(Result<void>) noexcept override {}

  void on_data(buffer::Slice data) noexcept override;
  void on_end() noexcept override;
  void on_error(Error error) noexcept override;
  void on_writable() noexcept override;

  void on_flushed() noexcept override {}

  // codec::http2::MultiplexerHandler
  void write(buffer::Slice&& bytes) noexcept override;
  void write_copy(std::string_view bytes) noexcept override;
  bool output_congested() const noexcept override;
  size_t bounded(size_t bytes) const noexcept override;
  Slot* on_open(uint32_t id) noexcept override;
  void on_section(Slot& slot, bool trailers, codec::http2::FieldSection& section) noexcept override;
  bool on_head(Slot& slot, codec::http2::FieldSection& section, bool end) noexcept override;
  void on_trailers(Slot& slot, codec::http2::FieldSection& section) noexcept override;
  void on_data(Slot& slot, buffer::Slice&& data, bool end) noexcept override;
  void on_writable(Slot& slot) noexcept override;
  void on_sent(Slot& slot) noexcept override;
  void on_reset(Slot& slot, codec::http2::ErrorCode code, bool by_peer) noexcept override;
  void on_closed(Slot& slot) noexcept override;

  void on_goaway(uint32_t, codec::http2::ErrorCode) noexcept override {}

  void on_ping_ack(std::string_view opaque) noexcept override;
  void on_settings(bool ack) noexcept override;

  void follow_config() noexcept;
  void start(Http2Stream& stream, bool end) noexcept;
  void reject(Http2Stream& stream, const Error& error) noexcept;
  bool complete_upgrade(filter::Stream& stream) noexcept;
  filter::PeerView peer_view() const noexcept;

  void arm() noexcept;
  void on_timeout() noexcept;
  void check_connection() noexcept;
  void check_stream(Http2Stream& stream) noexcept;
  bool connection_takes_nothing() noexcept;
  void fail(codec::http2::ErrorCode code, const char* reason) noexcept;
  void finish_drain() noexcept;
  void end_if_done() noexcept;
  void end_streams() noexcept;
  void close_after_flush() noexcept;

  net::ConnectionPtr connection_;
  codec::http2::Multiplexer multiplexer_;
  SessionTimer timer_;
  Peer peer_;
  const filter::ListenerRuntime* trust_from_ = nullptr;  // whose list `peer_.trusted()` follows
  uint64_t requests_ = 0;
  uint32_t tunnels_ = 0;  // that have not been told to end
  TimePoint started_{};
  TimePoint idle_since_{};
  TimePoint section_since_{};  // when the unfinished section began to be waited for
  TimePoint drain_since_{};
  TimePoint output_checked_{};
  uint64_t output_progress_ = 0;
  bool settings_received_ = false;
  bool settings_acknowledged_ = false;
  bool draining_ = false;
  bool goaway_final_ = false;
  bool reading_paused_ = false;
  bool receiving_ = false;
  bool closed_ = false;
};

}  // namespace hangu::downstream
