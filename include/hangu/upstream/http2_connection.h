// Http2Connection: one connection to an upstream endpoint speaking HTTP/2 as a client: carries as
// many requests at once as the peer allows, each in an Http2ClientStream. Follows GOAWAY, asks with
// PING whether a silent peer is still there, leaves when idle or too old. Owned by its Endpoint,
// one shard. It decides nothing about routing, retries or timeouts of a request: the proxy does.
#pragma once

#include <cstdint>

#include "hangu/buffer/object_pool.h"
#include "hangu/buffer/output_queue.h"
#include "hangu/codec/http2/multiplexer.h"
#include "hangu/event/timer.h"
#include "hangu/net/connection.h"
#include "hangu/upstream/client_stream.h"
#include "hangu/upstream/connection.h"

namespace hangu::upstream {

class Http2Connection;

class Http2ClientStream final : public codec::http2::StreamSlot, public ClientStream {
 public:
  explicit Http2ClientStream(Http2Connection& connection);

  // ClientStream
  void send_request(const OutgoingRequest& request) noexcept override;
  void send_data(buffer::Slice&& data, bool end) noexcept override;
  void send_trailers(const http::HeaderBlock& trailers) noexcept override;
  bool congested() const noexcept override;

  net::Connection* request_target() noexcept override { return nullptr; }

  void resume_response() noexcept override;
  void abandon() noexcept override;
  void end_tunnel() noexcept override;
  void finish_tunnel() noexcept override;

  uint64_t requests_before() const noexcept override { return requests_before_; }

 private:
  friend class Http2Connection;

  void receive(buffer::Slice&& data, bool end) noexcept;
  void receive_trailers() noexcept;
  void deliver_held() noexcept;
  void deliver_end() noexcept;
  void fail(const Error& error) noexcept;
  void let_go() noexcept;

  Http2Connection& connection_;
  OutgoingRequest request_;
  http::HeaderBlock request_trailers_;
  http::HeaderBlock trailers_;
  buffer::OutputQueue held_;  // response bytes that wait for the handler
  uint64_t requests_before_;
  bool held_end_ = false;  // the end of the response waits behind them
  bool has_trailers_ = false;
  bool delivering_ = false;
  bool response_started_ = false;
  bool tunnel_ = false;
  bool closed_ = false;  // the multiplexer has let go of it, or never had it
  bool buried_ = false;
};

class Http2Connection final : public Connection,
                              private net::ConnectionHandler,
                              private codec::http2::MultiplexerHandler {
 public:
  Http2Connection(Endpoint& endpoint, net::ConnectionPtr connection);
  ~Http2Connection() override;

  /// Sends our settings and waits for the peer's; then the endpoint hears that it is ready.
  void begin() noexcept;

  /// Whether another request may be sent now.
  bool has_room() const noexcept;

  /// A place for a request, which is to be sent at once; only while it has room.
  ClientStream& open_stream() noexcept;

  /// Whether the peer's settings have come.
  bool ready() const { return ready_; }

  void close() noexcept override;
  void retire() noexcept override;
  /// Closes unless it carries requests.
  void close_if_idle() noexcept;

 private:
  friend class Http2ClientStream;

  using Slot = codec::http2::StreamSlot;

  struct ConnectionTimer final : event::Timer {
    explicit ConnectionTimer(Http2Connection& connection)
        : owner(connection) {}

    void on_timer() noexcept override { owner.on_timeout(); }

    Http2Connection& owner;
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

  Slot* on_open(uint32_t) noexcept override { return nullptr; }  // servers open none

  void on_section(Slot& slot, bool trailers, codec::http2::FieldSection& section) noexcept override;
  bool on_head(Slot& slot, codec::http2::FieldSection& section, bool end) noexcept override;
  void on_trailers(Slot& slot, codec::http2::FieldSection& section) noexcept override;
  void on_data(Slot& slot, buffer::Slice&& data, bool end) noexcept override;
  void on_writable(Slot& slot) noexcept override;

  void on_sent(Slot&) noexcept override {}

  void on_reset(Slot& slot, codec::http2::ErrorCode code, bool by_peer) noexcept override;
  void on_closed(Slot& slot) noexcept override;
  void on_goaway(uint32_t last_stream, codec::http2::ErrorCode code) noexcept override;
  void on_ping_ack(std::string_view opaque) noexcept override;
  void on_settings(bool ack) noexcept override;

  bool accept_informational(Http2ClientStream& stream) noexcept;
  bool begin_tunnel(Http2ClientStream& stream) noexcept;
  void lose(Errc code, const char* detail, int sys_errno) noexcept;
  void end_if_done() noexcept;
  void arm() noexcept;
  void on_timeout() noexcept;

  net::ConnectionPtr connection_;
  codec::http2::Multiplexer multiplexer_;
  ConnectionTimer timer_;
  uint64_t requests_ = 0;
  TimePoint created_{};
  TimePoint idle_since_{};
  TimePoint last_received_{};
  TimePoint ping_sent_{};
  bool ready_ = false;
  bool leaving_ = false;  // no more requests: GOAWAY, too old, or its endpoint is retired
  bool ping_pending_ = false;
  bool closed_ = false;
};

}  // namespace hangu::upstream
