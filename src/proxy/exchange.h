// Exchange: one stream's effort to get an answer from its upstream: the attempts, the connection in
// use, the timeouts. Lives from Proxy::start until the response ended, failed or was cancelled; its
// memory goes back to the pool at the end of that loop turn.
#pragma once

#include <cstdint>

#include "hangu/base/intrusive_list.h"
#include "hangu/event/timer.h"
#include "hangu/filter/stream.h"
#include "hangu/upstream/client_stream.h"
#include "hangu/upstream/cluster.h"

namespace hangu::proxy {

class Proxy;

class Exchange final : public ListNode<Exchange>,
                       public filter::RequestSink,
                       private upstream::ResponseHandler,
                       public upstream::ConnectHandler {
 public:
  /// `ticket`: what the cluster's circuit breaker gave.
  Exchange(Proxy& proxy, filter::Stream& stream, upstream::Cluster& cluster,
           policy::CircuitBreaker::Ticket ticket);

  using ListNode<Exchange>::unlink;

  void start(bool request_end) noexcept;
  /// After 101, with no call on the stack: leaves everything to a Tunnel if both sides allow it.
  void become_tunnel() noexcept;
  // filter::RequestSink
  void on_request_data(buffer::Slice&& data, bool end) noexcept override;
  void on_request_trailers(const http::HeaderBlock& trailers) noexcept override;
  net::Connection* request_target() noexcept override;
  void on_response_writable() noexcept override;
  void cancel() noexcept override;

 private:
  /// What the one timer waits for.
  enum class Waiting : uint8_t { kResponse, kProgress, kTunnel };

  struct ExchangeTimer final : event::Timer {
    explicit ExchangeTimer(Exchange& exchange)
        : owner(exchange) {}

    void on_timer() noexcept override { owner.on_timeout(); }

    Exchange& owner;
  };

  // upstream::ConnectHandler
  void on_connect(upstream::ClientStream* stream, const Error& error) noexcept override;
  // upstream::ResponseHandler
  void on_informational(const http::ResponseHead& head) noexcept override;
  void on_response_head(bool end) noexcept override;
  void on_response_data(buffer::Slice&& data, bool end) noexcept override;
  net::Connection* response_target() noexcept override;
  void on_response_spliced(uint64_t bytes, bool end) noexcept override;
  void on_response_trailers(const http::HeaderBlock& trailers) noexcept override;
  void on_failure(const Error& error) noexcept override;
  void on_request_writable() noexcept override;
  bool response_congested() const noexcept override;
  void on_tunnel_end() noexcept override;

  struct TryTimer final : event::Timer {
    explicit TryTimer(Exchange& exchange)
        : owner(exchange) {}

    void on_timer() noexcept override { owner.on_try_timer(); }

    Exchange& owner;
  };

  void attempt(bool fresh) noexcept;
  bool retry() noexcept;
  bool retry_instead(int status, bool end) noexcept;
  bool may_try_another() const noexcept;
  Duration backoff() const noexcept;
  void on_try_timer() noexcept;
  void give_up_try() noexcept;
  void leave_endpoint() noexcept;
  void send(upstream::ClientStream& place) noexcept;
  bool may_retry(const Error& error) const noexcept;
  void tell_answer(int status) noexcept;
  void fail(const Error& error) noexcept;
  void report(policy::CircuitBreaker::Outcome outcome) noexcept;
  void on_timeout() noexcept;
  void wait_for(Waiting what) noexcept;
  void touch() noexcept;
  void request_ended() noexcept;
  void end_tunnel_if_done() noexcept;
  filter::Stream& detach() noexcept;
  void retire() noexcept;

  Proxy& proxy_;
  filter::Stream* stream_;
  upstream::Cluster& cluster_;
  upstream::Endpoint* endpoint_ = nullptr;
  upstream::ClientStream* connection_ = nullptr;  // carries the request
  ExchangeTimer timer_;
  TryTimer try_timer_;  // of this try, or until the next
  TimePoint sent_{};
  TimePoint deadline_{};  // of a gRPC call; none: there is none
  uint32_t attempts_ = 0;
  Waiting waiting_ = Waiting::kProgress;
  policy::CircuitBreaker::Ticket ticket_;  // kNone: its outcome has been reported
  bool head_prepared_ = false;
  bool request_end_ = false;
  bool body_sent_ = false;    // some of the body has left: a replay would lack it
  bool retrying_ = false;     // counted among the cluster's retries
  bool at_endpoint_ = false;  // counted among its requests
  bool upgrade_ = false;
  bool tunnel_request_end_ = false;
  bool tunnel_response_end_ = false;
};

}  // namespace hangu::proxy
