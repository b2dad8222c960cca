// Http1Session: one client connection speaking HTTP/1.1: reads requests one after the other, makes
// a Stream of each, writes the responses in order, keeps the connection alive or closes it, becomes
// a tunnel after 101. Owned by its SessionTable, one shard. It knows nothing of routes and
// upstreams.
#pragma once

#include <cstdint>

#include "hangu/buffer/object_pool.h"
#include "hangu/codec/http1/body_decoder.h"
#include "hangu/codec/http1/head_reader.h"
#include "hangu/codec/http1/limits.h"
#include "hangu/downstream/peer.h"
#include "hangu/downstream/session.h"
#include "hangu/event/timer.h"
#include "hangu/filter/edge_rules.h"
#include "hangu/filter/stream.h"
#include "hangu/net/connection.h"
#include "hangu/net/relay.h"

namespace hangu::downstream {

class Http1Session final : public Session,
                           private net::ConnectionHandler,
                           private filter::ResponseWriter {
 public:
  Http1Session(SessionTable& table, ListenerContext& listener, net::ConnectionPtr connection,
               const Peer& peer);

  void begin(buffer::Slice&& seen, buffer::Slice&& data) noexcept override;
  /// The same for a connection that another process had, between two requests.
  void go_on(uint64_t requests) noexcept;
  /// What is in flight is answered with `Connection: close`, unless the connection passes to
  /// another process between two requests.
  void drain() noexcept override;

  bool idle() const noexcept override { return state_ == State::kIdle && requests_ != 0; }

  void close() noexcept override;
  size_t held_bytes() noexcept override;
  uint64_t sent_bytes() const noexcept override;

 private:
  enum class State : uint8_t {
    kIdle,      // between requests
    kHead,      // part of a head has come
    kBody,      // the request body is coming
    kResponse,  // the request is complete, its response is not
    kDiscard,   // the response is complete, the rest of the request body is read and dropped
    kTunnel,
    kClosed,
  };

  struct SessionTimer final : event::Timer {
    explicit SessionTimer(Http1Session& session)
        : owner(session) {}

    void on_timer() noexcept override { owner.on_timeout(); }

    Http1Session& owner;
  };

  // net::ConnectionHandler
  void on_connected(Result<void>) noexcept override {}

  void on_data(buffer::Slice data) noexcept override;
  void on_spliced(uint64_t bytes) noexcept override;
  void on_end() noexcept override;
  void on_error(Error error) noexcept override;
  void on_writable() noexcept override;

  void on_flushed() noexcept override;
  void on_detached() noexcept override;

  // filter::ResponseWriter
  void write_informational(filter::Stream&, const http::ResponseHead& head) noexcept override;
  void write_head(filter::Stream&, bool end) noexcept override;
  void write_data(filter::Stream&, buffer::Slice&& data, bool end) noexcept override;
  void write_trailers(filter::Stream&, const http::HeaderBlock& trailers) noexcept override;
  void abort(filter::Stream&) noexcept override;
  void pause_request(filter::Stream&, bool paused) noexcept override;
  bool congested(const filter::Stream&) const noexcept override;
  net::Connection* response_target(const filter::Stream&) noexcept override;
  filter::TunnelOwner* release(filter::Stream&, net::RelayEnd& client) noexcept override;

  void process(buffer::Slice&& data) noexcept;
  bool process_head(buffer::Slice& data) noexcept;
  bool process_body(buffer::Slice& data) noexcept;
  void splice_body() noexcept;
  bool discard_body(size_t bytes, bool end) noexcept;
  bool process_tunnel(buffer::Slice& data) noexcept;
  void hold(buffer::Slice&& rest) noexcept;
  void resume_input() noexcept;

  bool input_wanted() const noexcept;

  void follow_config() noexcept;
  void open_stream() noexcept;
  void begin_request() noexcept;
  void reject_request(const Error& error) noexcept;
  filter::PeerView peer_view() const noexcept;
  bool body_left_is_large() const noexcept;
  void response_complete() noexcept;
  void next_request() noexcept;
  void end_stream() noexcept;
  void end_tunnel_if_done() noexcept;
  void move_if_idle() noexcept;
  void move() noexcept;
  void close_after_flush() noexcept;

  void on_timeout() noexcept;
  void on_idle_timeout() noexcept;
  void arm(Duration timeout) noexcept;
  void arm_for_response() noexcept;
  bool client_takes_nothing() noexcept;

  net::ConnectionPtr connection_;
  SessionTimer timer_;
  codec::http1::HeadReader reader_;
  codec::http1::BodyDecoder decoder_;
  buffer::ObjectPool<filter::Stream>::Ptr stream_;
  buffer::Slice held_;  // received, not yet wanted
  Peer peer_;
  const filter::ListenerRuntime* trust_from_ = nullptr;  // whose list `peer_.trusted()` follows
  uint64_t requests_ = 0;
  uint64_t progress_ = 0;  // what the client had acknowledged at the last check
  uint64_t discarded_bytes_ = 0;
  State state_ = State::kIdle;
  bool holding_ = false;
  bool processing_ = false;
  bool body_paused_ = false;  // the stream wants no request bytes now
  bool keep_alive_ = true;    // as far as the request in progress goes
  bool chunk_response_ = false;
  bool rejected_ = false;  // unread input is likely: linger when closing
  bool draining_ = false;
  bool moving_ = false;      // passes to another process when it is idle
  bool move_again_ = false;  // which was busy: the timer is for the next attempt
  bool tunnel_in_end_ = false;
  bool tunnel_out_end_ = false;
};

}  // namespace hangu::downstream
