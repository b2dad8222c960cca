// Filter: one step of the chain that every request and its response pass. Built-ins and plugins
// share this interface. A filter object belongs to a snapshot, is shared by all shards and is
// immutable after construction: what it keeps per stream lives in the stream. Callbacks run on the
// stream's shard, must not block, and a filter that paused or replied is not called again for that
// phase.
#pragma once

#include <cstdint>
#include <string_view>

namespace hangu::buffer {
struct Slice;
}

namespace hangu::filter {

class Stream;

enum class FilterStatus : uint8_t {
  kContinue,
  kPause,  // the message waits here until Stream::resume_request() or resume_response()
};

/// The callbacks that a filter implements; the others are never called on it.
enum Hook : uint8_t {
  kRequestHeaders = 1,
  kRequestData = 2,
  kResponseHeaders = 4,
  kResponseData = 8,
  kStreamEnd = 16,
  kLocalReply = 32,
};

class Filter {
 public:
  virtual ~Filter() = default;

  /// Short and stable: it appears in logs, metrics and local replies.
  virtual std::string_view name() const = 0;

  /// A set of Hook bits.
  virtual uint8_t hooks() const = 0;

  virtual FilterStatus on_request_headers(Stream&) const noexcept {
    return FilterStatus::kContinue;
  }

  /// `end`: the last piece (it may be empty).
  virtual FilterStatus on_request_data(Stream&, buffer::Slice&, bool /*end*/) const noexcept {
    return FilterStatus::kContinue;
  }

  virtual FilterStatus on_response_headers(Stream&) const noexcept {
    return FilterStatus::kContinue;
  }

  virtual FilterStatus on_response_data(Stream&, buffer::Slice&, bool /*end*/) const noexcept {
    return FilterStatus::kContinue;
  }

  /// In place of the two above for an answer of the gateway itself: `stream.response` is what will
  /// be sent. Its body is not shown.
  virtual void on_local_reply(Stream&) const noexcept {}

  /// Always called exactly once for a stream whose request headers were complete, whatever
  /// happened.
  virtual void on_stream_end(Stream&) const noexcept {}
};

}  // namespace hangu::filter
