// MirrorRequest: one copy of a request, from its making to the end of its answer. Has an arena of
// its own: the stream it was made of may be over long before.
#pragma once

#include "hangu/base/intrusive_list.h"
#include "hangu/buffer/arena.h"
#include "hangu/event/timer.h"
#include "hangu/filter/mirror.h"
#include "hangu/filter/stream.h"
#include "hangu/upstream/client_stream.h"
#include "hangu/upstream/cluster.h"

namespace hangu::proxy {

class Mirrors;

class MirrorRequest final : public hangu::ListNode<MirrorRequest>,
                            public filter::RequestCopy,
                            private upstream::ResponseHandler,
                            private upstream::ConnectHandler,
                            private event::Timer {
 public:
  /// `ticket`: what the cluster's circuit breaker gave.
  MirrorRequest(Mirrors& mirrors, filter::Stream& stream, const filter::MirrorTarget& target,
                upstream::Cluster& cluster, policy::CircuitBreaker::Ticket ticket);
  ~MirrorRequest() override;

  using hangu::ListNode<MirrorRequest>::unlink;

  // filter::RequestCopy
  void add(std::string_view bytes) noexcept override;

  uint64_t body_bytes() const noexcept override { return body_bytes_; }

  void send(filter::Stream& stream) noexcept override;
  void drop() noexcept override;

  const upstream::Cluster& cluster() const { return cluster_; }

  /// Ends it at once.
  void cancel() noexcept;

 private:
  // upstream::ConnectHandler
  void on_connect(upstream::ClientStream* stream, const Error& error) noexcept override;

  // upstream::ResponseHandler
  void on_informational(const http::ResponseHead&) noexcept override {}

  void on_response_head(bool end) noexcept override;
  void on_response_data(buffer::Slice&& data, bool end) noexcept override;

  net::Connection* response_target() noexcept override { return nullptr; }

  void on_response_spliced(uint64_t, bool) noexcept override {}

  void on_response_trailers(const http::HeaderBlock& trailers) noexcept override;
  void on_failure(const Error& error) noexcept override;

  void on_request_writable() noexcept override {}

  bool response_congested() const noexcept override { return false; }

  void on_tunnel_end() noexcept override {}

  void on_timer() noexcept override;

  void copy_head(const filter::Stream& stream, const config::Mirror& config) noexcept;
  void copy_host(const filter::Stream& stream, const config::Mirror& config) noexcept;
  void complete_head() noexcept;
  void start(upstream::ClientStream& place) noexcept;
  void finish(bool answered) noexcept;

  Mirrors& mirrors_;
  upstream::Cluster& cluster_;
  Duration timeout_;
  policy::CircuitBreaker::Ticket ticket_;
  buffer::Arena arena_;
  http::RequestHead head_;
  http::ResponseHead response_;
  std::string_view target_;
  std::string_view host_;
  buffer::BlockRef body_;
  uint32_t body_bytes_ = 0;
  uint64_t answer_bytes_ = 0;
  upstream::Endpoint* endpoint_ = nullptr;
  upstream::ClientStream* connection_ = nullptr;  // carries the request
  bool replayed_ = false;
  bool ended_ = false;
};

}  // namespace hangu::proxy
