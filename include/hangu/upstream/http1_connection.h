// Http1Connection: one connection to an upstream endpoint speaking HTTP/1.1 as a client: connects,
// carries one request at a time, parses the response as strictly as a request is parsed, and goes
// back to its endpoint's idle list when both messages ended cleanly. Owned by its Endpoint, one
// shard. It decides nothing about routing, retries or timeouts of a request: the proxy does.
#pragma once

#include <cstdint>

#include "hangu/base/intrusive_list.h"
#include "hangu/buffer/arena.h"
#include "hangu/buffer/block.h"
#include "hangu/codec/http1/body_decoder.h"
#include "hangu/codec/http1/head_reader.h"
#include "hangu/event/timer.h"
#include "hangu/http/message.h"
#include "hangu/net/connection.h"
#include "hangu/upstream/response_handler.h"

namespace hangu::upstream {

class Endpoint;

/// A request as it goes on the wire. Everything pointed to outlives the exchange or abandon().
struct OutgoingRequest {
  buffer::Slice head;    // serialised; kept by the caller for a replay
  bool chunked = false;  // frame the body in chunks
  bool has_body = false;
  bool upgrade = false;  // a 101 answer is expected
  http::Method method = http::Method::kGet;
  http::ResponseHead* response = nullptr;  // filled in before on_response_head
  buffer::Arena* arena = nullptr;          // for the response head
  ResponseHandler* handler = nullptr;
};

class Http1Connection final : public ListNode<Http1Connection>, private net::ConnectionHandler {
 public:
  Http1Connection(Endpoint& endpoint, ConnectHandler& waiter);
  ~Http1Connection();

  /// Starts connecting; the waiter hears of the end, possibly before this returns.
  void connect() noexcept;

  /// The waiter no longer wants the connection: it becomes idle when it is ready.
  void forget_waiter() noexcept { waiter_ = nullptr; }

  void send_request(const OutgoingRequest& request) noexcept;
  void send_data(buffer::Slice&& data, bool end) noexcept;
  void send_trailers(const http::HeaderBlock& trailers) noexcept;

  bool congested() const noexcept { return connection_->congested(); }

  /// Where the rest of the request body may go as it is; nullptr when it needs framing.
  net::Connection* request_target() noexcept;

  /// The handler can take response bytes again.
  void resume_response() noexcept;
  /// The handler goes away: no more calls to it. Closes the connection unless the exchange is over.
  void abandon() noexcept;
  /// In a tunnel: no more bytes from the client.
  void end_tunnel() noexcept;
  /// Both directions of a tunnel have ended: no more calls to the handler; what is queued still
  /// leaves.
  void finish_tunnel() noexcept;

  Endpoint& endpoint() { return endpoint_; }

  /// Whether an earlier request was answered on it.
  bool reused() const { return requests_ > 1; }

  uint64_t requests() const { return requests_; }

  /// Whether it is in its endpoint's idle list; the endpoint's to say.
  bool idle() const { return idle_; }

  void set_idle(bool idle) { idle_ = idle; }

  /// Its endpoint put it into the idle list: closes it when nobody takes it in time.
  void start_idle_timer(Duration timeout) noexcept;

  bool tunnel() const { return state_ == State::kTunnel; }

  void close() noexcept;

 private:
  enum class State : uint8_t { kConnecting, kIdle, kHead, kBody, kTunnel, kClosed };

  struct ConnectionTimer final : event::Timer {
    explicit ConnectionTimer(Http1Connection& connection)
        : owner(connection) {}

    void on_timer() noexcept override { owner.on_timeout(); }

    Http1Connection& owner;
  };

  void on_connected(Result<void> result) noexcept override;
  void on_data(buffer::Slice data) noexcept override;
  void on_end() noexcept override;
  void on_error(Error error) noexcept override;
  void on_spliced(uint64_t bytes) noexcept override;
  void on_writable() noexcept override;

  void on_flushed() noexcept override {}

  void on_timeout() noexcept;

  void process(buffer::Slice&& data) noexcept;
  bool process_head(buffer::Slice& data) noexcept;
  bool process_body(buffer::Slice& data) noexcept;
  bool accept_head(std::string_view head, bool last_byte) noexcept;
  bool accept_informational() noexcept;
  void splice_rest() noexcept;
  void hold(buffer::Slice&& rest) noexcept;
  void finish_response(bool clean) noexcept;
  void finish_connect(const Error& error) noexcept;
  void fail_exchange(Error error) noexcept;
  Error lost(Errc code, const char* detail, int sys_errno) const noexcept;

  Endpoint& endpoint_;
  ConnectHandler* waiter_;
  net::ConnectionPtr connection_;
  ConnectionTimer timer_;
  codec::http1::HeadReader reader_;
  codec::http1::BodyDecoder decoder_;
  OutgoingRequest request_;
  buffer::Slice held_;  // response bytes that wait for the handler
  uint64_t requests_ = 0;
  State state_ = State::kConnecting;
  bool idle_ = false;
  bool holding_ = false;
  bool processing_ = false;
  bool request_sent_ = false;      // the whole request was queued
  bool response_started_ = false;  // a byte of the response arrived
  bool peer_ended_ = false;
};

}  // namespace hangu::upstream
