#include "proxy/callout_request.h"

#include <algorithm>
#include <utility>

#include "hangu/buffer/decimal_text.h"

#include "proxy/callouts.h"

namespace hangu::proxy {
namespace {

using http::HeaderName;

constexpr size_t kAnswerBytesMin = 1024;

/// Longer than the exchange's own limit, which knows whether the upstream is to blame: this one is
/// for answers that trickle.
constexpr Duration kGrace = std::chrono::milliseconds(2);

/// Why the proxy replied in the upstream's place.
std::string_view fault_of(std::string_view code) {
  if (code == "upstream.timeout") {
    return filter::kCalloutTimeout;
  }
  const bool broken =
      code == "upstream.reset" || code == "upstream.protocol" || code == "upstream.body_too_large";
  return broken ? filter::kCalloutBroken : filter::kCalloutUnreachable;
}

}  // namespace

CalloutRequest::CalloutRequest(Callouts& callouts, filter::Stream& asking,
                               const filter::CalloutTarget& target, filter::CalloutAsker& asker,
                               const filter::SnapshotRef& no_filters)
    : callouts_(callouts),
      snapshot_(asking.snapshot_ref()),
      target_(target),
      asker_(&asker),
      stream_(asking.shard(), *this, no_filters, asking.listener()) {
  stream_.set_route(target.route());
  stream_.info.cluster = target.route().cluster;
  stream_.request.method = http::Method::kGet;
  stream_.request.method_text = "GET";
  know_client(asking);
  const char depth = static_cast<char>('1' + std::min(filter::callout_depth(asking), 8U));
  static_cast<void>(stream_.request.headers.add_copy(filter::kCalloutMark, {&depth, 1}));
}

CalloutRequest::~CalloutRequest() = default;

/// What balancing by a key may look at.
void CalloutRequest::know_client(const filter::Stream& asking) noexcept {
  const auto copy = [this](std::string_view text) { return arena().copy(text); };
  stream_.info.client_ip = copy(asking.info.client_ip);
  stream_.info.request_id = copy(asking.info.request_id);
  stream_.info.consumer = copy(asking.info.consumer);
  stream_.request.host = copy(asking.request.host);
}

void CalloutRequest::complete_head() noexcept {
  http::RequestHead& request = stream_.request;
  if (body_.empty()) {
    return;
  }
  request.framing = http::BodyFraming::kLength;
  request.content_length = body_.size();
  static_cast<void>(
      request.headers.set(HeaderName::kContentLength, buffer::decimal_text(body_.size(), arena())));
}

void CalloutRequest::send(std::string_view target, std::string_view body) noexcept {
  body_ = body;
  stream_.request.target = target;
  stream_.request.path = target.substr(0, target.find('?'));
  stream_.info.forward_target = target;
  complete_head();
  arm(callouts_.loop().timers(), target_.timeout() + kGrace);
  stream_.shard().terminal().start(stream_, body_.empty());
}

/// The proxy takes the body as soon as there is a connection, and keeps it for another try.
void CalloutRequest::pause_request(filter::Stream& stream, bool paused) noexcept {
  if (!paused && !body_.empty() && !ended_) {
    stream.on_request_data(arena().slice_of(std::exchange(body_, {})), true);
  }
}

void CalloutRequest::write_head(filter::Stream& stream, bool end) noexcept {
  if (!stream.info.code.empty()) {
    conclude(fault_of(stream.info.code));
  } else if (end) {
    conclude({});
  }
}

/// False: there is more of it than is wanted.
bool CalloutRequest::keep(std::string_view bytes) noexcept {
  const size_t room = target_.answer_bytes_max() - answer_bytes_;
  const bool all = bytes.size() <= room;
  bytes = bytes.substr(0, room);
  const size_t needed = answer_bytes_ + bytes.size();
  if (needed > answer_capacity_) {
    answer_capacity_ = std::max({needed, 2 * answer_capacity_, kAnswerBytesMin});
    char* const larger = arena().allocate(answer_capacity_, 1);
    std::copy_n(answer_, answer_bytes_, larger);
    answer_ = larger;
  }
  std::copy(bytes.begin(), bytes.end(), answer_ + answer_bytes_);
  answer_bytes_ = needed;
  return all;
}

void CalloutRequest::write_data(filter::Stream& /*stream*/, buffer::Slice&& data,
                                bool end) noexcept {
  if (ended_) {
    return;
  }
  if (!keep(data.view())) {
    cut_ = true;
    conclude({});
  } else if (end) {
    conclude({});
  }
}

void CalloutRequest::write_trailers(filter::Stream&, const http::HeaderBlock&) noexcept {
  conclude({});
}

void CalloutRequest::abort(filter::Stream& stream) noexcept {
  const bool late = stream.info.failure == filter::StreamFailure::kTimeout;
  conclude(late ? filter::kCalloutTimeout : filter::kCalloutBroken);
}

void CalloutRequest::on_timer() noexcept {
  conclude(filter::kCalloutTimeout);
}

void CalloutRequest::cancel() noexcept {
  asker_ = nullptr;
  conclude({});
}

/// What is left of the exchange goes; who asked hears at the end of the turn.
void CalloutRequest::conclude(std::string_view fault) noexcept {
  if (std::exchange(ended_, true)) {
    return;
  }
  fault_ = fault;
  disarm();
  stream_.finish();
  callouts_.ended(*this);
}

void CalloutRequest::tell() noexcept {
  if (filter::CalloutAsker* const asker = std::exchange(asker_, nullptr)) {
    asker->on_callout_answer({.fault = fault_,
                              .head = fault_.empty() ? &stream_.response : nullptr,
                              .body = {answer_, answer_bytes_},
                              .cut = cut_,
                              .took = stream_.now() - stream_.info.started});
  }
}

}  // namespace hangu::proxy
