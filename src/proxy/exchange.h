// Exchange: one stream's effort to get an answer from its upstream: the attempts, the connection in
// use, the timeouts. Lives from Proxy::start until the response ended, failed or was cancelled; its
// memory goes back to the pool at the end of that loop turn.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "hangu/base/intrusive_list.h"
#include "hangu/event/timer.h"
#include "hangu/filter/stream.h"
#include "hangu/http/websocket_frames.h"
#include "hangu/upstream/client_stream.h"
#include "hangu/upstream/cluster.h"

#include "proxy/circuits.h"
#include "proxy/replay_buffer.h"

namespace hangu::proxy {

class Hedge;
class Proxy;

/// What is noted of a request that the upstream's `limits`, in shadow mode, would have held up.
inline constexpr std::string_view kUpstreamLimits = "upstream_limits";

class Exchange final : public ListNode<Exchange>,
                       public filter::RequestSink,
                       private upstream::ResponseHandler,
                       public upstream::ConnectHandler,
                       private upstream::SlotWaiter {
 public:
  /// What was asked of for it, and given.
  struct Entry {
    Tickets tickets;
    policy::AdaptiveLimit::Admission admission = policy::AdaptiveLimit::Admission::kNone;
  };

  Exchange(Proxy& proxy, filter::Stream& stream, upstream::Cluster& cluster, const Entry& entry);

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

  // For its second try.
  Hedge* hedge() const { return hedge_; }

  upstream::Cluster& cluster() { return cluster_; }

  upstream::ResponseHandler& response_handler() { return *this; }

  TimePoint now() const noexcept { return stream_->now(); }

  /// The stream's request as it goes to `endpoint` now, but for its handler.
  upstream::OutgoingRequest outgoing_request(const upstream::Endpoint& endpoint) noexcept;
  void on_hedge_due() noexcept;
  void on_hedge_connected(upstream::ClientStream& place) noexcept;
  void on_hedge_failed(upstream::Endpoint& endpoint) noexcept;
  void on_hedge_answered(bool end) noexcept;

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

  /// Where the request has been; in the stream's arena, once there was a first retry.
  struct Tried {
    static constexpr size_t kMax = 16;

    std::array<const upstream::Endpoint*, kMax> endpoints{};
    size_t count = 0;
  };

  void attempt(bool fresh) noexcept;
  void end_pending() noexcept;
  void leave_endpoint() noexcept;
  void send(upstream::ClientStream& place) noexcept;
  upstream::Cluster::Answer answer() const noexcept;
  void tell_answer(const upstream::Cluster::Answer& answer) noexcept;

  // deadline.cc
  void find_deadline() noexcept;
  void forward_deadline() noexcept;

  // queueing.cc
  void enter() noexcept;
  bool waits_for_slot() const noexcept;
  void end_waiting_for_slot() noexcept;
  void on_slot() noexcept override;
  void on_queue_timeout() noexcept;

  // hedging.cc
  void consider_hedging() noexcept;
  bool hedge_racing() const noexcept;
  bool take_slot_for_hedge() noexcept;
  void continue_with_hedge() noexcept;
  bool leave_it_to_hedge() noexcept;
  bool leave_answer_to_hedge(bool end) noexcept;

  // Further tries: retries.cc
  void keep_body_if_useful() noexcept;
  void send_kept_body(upstream::ClientStream& place) noexcept;
  bool may_repeat() const noexcept;
  std::optional<config::RetryReason> may_retry(const Error& error) const noexcept;
  bool may_try_another() const noexcept;
  bool claim_retry() noexcept;
  void retry(std::string_view reason, Duration wait) noexcept;
  bool retry_instead(int status, bool end) noexcept;
  void turn_answer_down(bool end) noexcept;
  Duration backoff() const noexcept;
  upstream::Cluster::Tried tried() const noexcept;
  void note_tried() noexcept;
  void arm_try_timer() noexcept;
  void on_try_timer() noexcept;
  void give_up_try() noexcept;

  void fail(const Error& error) noexcept;
  void count_once_more() noexcept;
  void report(policy::CircuitBreaker::Outcome outcome) noexcept;
  void leave_limit(std::optional<Duration> latency) noexcept;
  void report_success(bool success) noexcept;
  void report_success_of(int status, bool end) noexcept;
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
  TryTimer try_timer_;  // of this try, until the next, or of the wait for a slot
  TimePoint sent_{};
  TimePoint deadline_{};      // that the client or the hop before gave; none: there is none
  TimePoint queued_since_{};  // none: it does not wait for a slot
  ReplayBuffer kept_body_;
  Tried* tried_ = nullptr;
  uint32_t attempts_ = 0;
  uint32_t retries_ = 0;  // of them: that count against `retry.attempts`
  Waiting waiting_ = Waiting::kProgress;
  Tickets tickets_;
  Hedge* hedge_ = nullptr;
  policy::AdaptiveLimit::Admission admission_;  // kNone: it does not count, or no more
  bool success_due_ = false;                    // admission wants to know what becomes of it
  bool head_prepared_ = false;
  bool has_body_ = false;
  bool request_end_ = false;
  bool retrying_ = false;     // counted among the cluster's retries
  bool at_endpoint_ = false;  // counted among its requests
  bool pending_ = false;      // counted among those that wait for a connection
  bool has_slot_ = false;     // one of those that the node has for the upstream
  bool upgrade_ = false;
  http::WebsocketFrames frames_;  // of a tunnel's, to the client
  bool tunnel_request_end_ = false;
  bool tunnel_response_end_ = false;
};

}  // namespace hangu::proxy
