// CalloutRequest: one question of a filter, from its making to its answer. It is a stream of the
// gateway's own, with no client and no filters: the proxy treats it as any other.
#pragma once

#include "hangu/base/intrusive_list.h"
#include "hangu/event/timer.h"
#include "hangu/filter/callout.h"
#include "hangu/filter/stream.h"

namespace hangu::proxy {

class Callouts;

class CalloutRequest final : public ListNode<CalloutRequest>,
                             public filter::Callout,
                             private filter::ResponseWriter,
                             private event::Timer {
 public:
  /// `no_filters`: a snapshot without any.
  CalloutRequest(Callouts& callouts, filter::Stream& asking, const filter::CalloutTarget& target,
                 filter::CalloutAsker& asker, const filter::SnapshotRef& no_filters);
  ~CalloutRequest() override;

  using ListNode<CalloutRequest>::unlink;

  // filter::Callout
  http::RequestHead& request() noexcept override { return stream_.request; }

  buffer::Arena& arena() noexcept override { return stream_.arena(); }

  void send(std::string_view target, std::string_view body) noexcept override;
  void cancel() noexcept override;

  /// After it has ended; tells nobody if it was cancelled.
  void tell() noexcept;

 private:
  // filter::ResponseWriter
  void write_informational(filter::Stream&, const http::ResponseHead&) noexcept override {}

  void write_head(filter::Stream& stream, bool end) noexcept override;
  void write_data(filter::Stream& stream, buffer::Slice&& data, bool end) noexcept override;
  void write_trailers(filter::Stream& stream, const http::HeaderBlock& trailers) noexcept override;
  void abort(filter::Stream& stream) noexcept override;
  void pause_request(filter::Stream& stream, bool paused) noexcept override;

  bool congested(const filter::Stream&) const noexcept override { return false; }

  net::Connection* response_target(const filter::Stream&) noexcept override { return nullptr; }

  void on_timer() noexcept override;

  void know_client(const filter::Stream& asking) noexcept;
  void complete_head() noexcept;
  bool keep(std::string_view bytes) noexcept;
  void conclude(std::string_view fault) noexcept;

  Callouts& callouts_;
  filter::SnapshotRef snapshot_;  // of who asks: holds the target, and more that is borrowed here
  const filter::CalloutTarget& target_;
  filter::CalloutAsker* asker_;  // nullptr: cancelled
  filter::Stream stream_;
  std::string_view body_;  // of the question; empty: none, or it is sent
  std::string_view fault_;
  char* answer_ = nullptr;  // in the stream's arena
  size_t answer_bytes_ = 0;
  size_t answer_capacity_ = 0;
  bool cut_ = false;
  bool ended_ = false;
};

}  // namespace hangu::proxy
