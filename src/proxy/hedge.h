// Hedge: the second try of an exchange, begun at another endpoint while the first has not answered.
// First it waits for its time; then it asks; when it answers first, or the first try fails, it
// becomes the exchange's try and only passes on what it hears. Made by the Proxy from a pool, and
// gone with its Exchange; exchanges that cannot have one know only a null pointer.
#pragma once

#include "hangu/event/timer.h"
#include "hangu/filter/stream.h"
#include "hangu/upstream/client_stream.h"
#include "hangu/upstream/cluster.h"

namespace hangu::proxy {

class Exchange;

class Hedge final : private event::Timer,
                    private upstream::ConnectHandler,
                    private upstream::ResponseHandler {
 public:
  explicit Hedge(Exchange& exchange)
      : owner_(exchange) {}

  void wait(event::Timers& timers, Duration delay) noexcept { arm(timers, delay); }

  /// Asks `endpoint`. `has_slot`: one among the requests to the upstream is its own.
  void begin(upstream::Endpoint& endpoint, bool has_slot) noexcept;
  /// Ends whatever it does, without a word.
  void stop() noexcept;

  /// Whether it is under way beside the exchange's own try.
  bool racing() const { return endpoint_ != nullptr && !current_; }

  /// It is the exchange's try from now on; its endpoint and connection are the exchange's.
  void become_current() noexcept;

  bool current() const { return current_; }

  upstream::Endpoint* endpoint() const { return endpoint_; }

  /// nullptr: it is still connecting.
  upstream::ClientStream* place() const { return place_; }

  const http::ResponseHead& response() const { return response_; }

  TimePoint sent() const { return sent_; }

 private:
  void on_timer() noexcept override;
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

  void send(upstream::ClientStream& place) noexcept;
  void end_waiting() noexcept;
  void give_slot_back() noexcept;

  Exchange& owner_;
  upstream::Endpoint* endpoint_ = nullptr;
  upstream::ClientStream* place_ = nullptr;
  http::ResponseHead response_;
  TimePoint sent_{};
  bool current_ = false;
  bool has_slot_ = false;
  bool connecting_ = false;  // counted among those that wait for a connection
};

}  // namespace hangu::proxy
