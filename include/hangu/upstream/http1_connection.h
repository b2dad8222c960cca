// Http1Connection: one connection to an upstream endpoint speaking HTTP/1.1 as a client: carries
// one request at a time, parses the response as strictly as a request is parsed, and goes back to
// its endpoint's idle list when both messages ended cleanly. Owned by its Endpoint, one shard. It
// decides nothing about routing, retries or timeouts of a request: the proxy does.
#pragma once

#include <cstdint>

#include "hangu/buffer/arena.h"
#include "hangu/buffer/block.h"
#include "hangu/codec/http1/body_decoder.h"
#include "hangu/codec/http1/head_reader.h"
#include "hangu/event/timer.h"
#include "hangu/http/message.h"
#include "hangu/net/connection.h"
#include "hangu/net/relay.h"
#include "hangu/upstream/client_stream.h"
#include "hangu/upstream/connection.h"

namespace hangu::upstream {

class Http1Connection final : public Connection,
                              public ClientStream,
                              private net::ConnectionHandler {
 public:
  Http1Connection(Endpoint& endpoint, net::ConnectionPtr connection);

  // ClientStream
  void send_request(const OutgoingRequest& request) noexcept override;
  void send_data(buffer::Slice&& data, bool end) noexcept override;
  void send_trailers(const http::HeaderBlock& trailers) noexcept override;

  bool congested() const noexcept override { return connection_->congested(); }

  net::Connection* request_target() noexcept override;
  void resume_response() noexcept override;
  void abandon() noexcept override;
  void end_tunnel() noexcept override;
  void finish_tunnel() noexcept override;

  bool releasable() const noexcept override { return state_ == State::kTunnel && !peer_ended_; }

  void release(net::RelayEnd& server) noexcept override;

  uint64_t requests_before() const noexcept override { return requests_; }

  uint64_t requests() const { return requests_; }

  TimePoint created() const { return created_; }

  /// Whether it is in its endpoint's idle list; the endpoint's to say.
  bool idle() const { return idle_; }

  void set_idle(bool idle) { idle_ = idle; }

  /// Its endpoint put it into the idle list: closes it when nobody takes it in time.
  void start_idle_timer(Duration timeout) noexcept;

  void close() noexcept override;
  void retire() noexcept override;

 private:
  enum class State : uint8_t { kIdle, kHead, kBody, kTunnel, kClosed };

  struct ConnectionTimer final : event::Timer {
    explicit ConnectionTimer(Http1Connection& connection)
        : owner(connection) {}

    void on_timer() noexcept override { owner.on_timeout(); }

    Http1Connection& owner;
  };

  void on_connected(Result<void>) noexcept override {}

  void on_data(buffer::Slice data) noexcept override;
  void on_end() noexcept override;
  void on_error(Error error) noexcept override;
  void on_spliced(uint64_t bytes) noexcept override;
  void on_writable() noexcept override;

  void on_flushed() noexcept override {}

  void on_timeout() noexcept;

  bool chunked() const { return request_.head->framing == http::BodyFraming::kChunked; }

  void process(buffer::Slice&& data) noexcept;
  bool process_head(buffer::Slice& data) noexcept;
  bool process_body(buffer::Slice& data) noexcept;
  bool accept_head(std::string_view head, bool last_byte) noexcept;
  bool accept_informational() noexcept;
  void splice_rest() noexcept;
  void hold(buffer::Slice&& rest) noexcept;
  void finish_response(bool clean) noexcept;
  void fail_exchange(Error error) noexcept;
  Error lost(Errc code, const char* detail, int sys_errno) const noexcept;

  net::ConnectionPtr connection_;
  ConnectionTimer timer_;
  codec::http1::HeadReader reader_;
  codec::http1::BodyDecoder decoder_;
  OutgoingRequest request_;
  buffer::Slice held_;  // response bytes that wait for the handler
  uint64_t requests_ = 0;
  TimePoint created_{};
  State state_ = State::kIdle;
  bool idle_ = false;
  bool holding_ = false;
  bool processing_ = false;
  bool request_sent_ = false;      // the whole request was queued
  bool response_started_ = false;  // a byte of the response arrived
  bool peer_ended_ = false;
};

}  // namespace hangu::upstream
