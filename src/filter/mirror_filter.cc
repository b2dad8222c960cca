#include "hangu/filter/mirror_filter.h"

#include <utility>

#include "hangu/filter/stream.h"
#include "hangu/policy/choice.h"

#include "filter/action_counters.h"

namespace hangu::filter {
namespace {

void send(Stream& stream) noexcept {
  RequestCopy* copy = std::exchange(stream.kept.request_copy, nullptr);
  action_counters(stream).mirrored.add();
  copy->send(stream);
}

}  // namespace

FilterStatus MirrorFilter::on_request_headers(Stream& stream) const noexcept {
  const http::RequestHead& request = stream.request;
  // A tunnel has no end that a copy could wait for.
  if (request.upgrade || !policy::is_chosen(target_.config->percent, stream.shard().random())) {
    return FilterStatus::kContinue;
  }
  if (request.framing == http::BodyFraming::kLength &&
      request.content_length > target_.config->body_bytes_max) {
    action_counters(stream).mirror_skipped_body.add();
    return FilterStatus::kContinue;
  }
  stream.kept.request_copy = stream.shard().mirrors().begin(stream, target_);
  if (stream.kept.request_copy == nullptr) {
    action_counters(stream).mirror_skipped_busy.add();
  } else if (stream.request_complete()) {
    send(stream);
  }
  return FilterStatus::kContinue;
}

FilterStatus MirrorFilter::on_request_data(Stream& stream, buffer::Slice& data,
                                           bool end) const noexcept {
  RequestCopy* copy = stream.kept.request_copy;
  if (copy == nullptr) {
    return FilterStatus::kContinue;
  }
  if (copy->body_bytes() + data.size > target_.config->body_bytes_max) {
    std::exchange(stream.kept.request_copy, nullptr)->drop();
    action_counters(stream).mirror_skipped_body.add();
    return FilterStatus::kContinue;
  }
  copy->add(data.view());
  if (end) {
    send(stream);
  }
  return FilterStatus::kContinue;
}

/// A request that ended with trailers, which are not copied, is complete as well.
void MirrorFilter::on_stream_end(Stream& stream) const noexcept {
  if (stream.kept.request_copy == nullptr) {
    return;
  }
  if (stream.request_complete()) {
    send(stream);
  } else {
    std::exchange(stream.kept.request_copy, nullptr)->drop();
  }
}

}  // namespace hangu::filter
