#include "proxy/mirror_request.h"

#include <algorithm>
#include <utility>

#include "hangu/buffer/decimal_text.h"
#include "hangu/http/hop_by_hop.h"

#include "proxy/mirrors.h"

namespace hangu::proxy {
namespace {

using http::HeaderName;

// Of an answer that nobody reads: beyond this its connection is not worth keeping.
constexpr uint64_t kAnswerBytesMax = 1024 * 1024;
constexpr std::string_view kMark = "x-hangu-mirror";

}  // namespace

MirrorRequest::MirrorRequest(Mirrors& mirrors, filter::Stream& stream,
                             const filter::MirrorTarget& target, upstream::Cluster& cluster,
                             policy::CircuitBreaker::Ticket ticket)
    : mirrors_(mirrors),
      cluster_(cluster),
      timeout_(target.config->timeout),
      ticket_(ticket),
      arena_(stream.shard().small_blocks(), stream.shard().large_blocks()) {
  copy_head(stream, *target.config);
}

MirrorRequest::~MirrorRequest() = default;

void MirrorRequest::copy_head(const filter::Stream& stream, const config::Mirror& config) noexcept {
  const http::RequestHead& from = stream.request;
  head_.reset(arena_);
  head_.method = from.method;
  head_.version = from.version;
  head_.method_text = arena_.copy(from.method_text);
  head_.path = arena_.copy(from.path);
  head_.query = arena_.copy(from.query);
  head_.has_query = from.has_query;
  target_ = arena_.copy(stream.info.forward_target);
  bool fits = true;
  for (const http::Header& header : from.headers) {
    fits = head_.headers.add_copy(header.name(), header.value()) && fits;
  }
  http::remove_hop_by_hop(head_.headers, false);
  head_.headers.remove(HeaderName::kContentLength);
  head_.headers.remove(HeaderName::kExpect);
  fits = head_.headers.set(kMark, "1") && fits;
  static_cast<void>(fits);  // one field less than the original: nobody depends on it
  copy_host(stream, config);
}

void MirrorRequest::copy_host(const filter::Stream& stream, const config::Mirror& config) noexcept {
  const std::string_view forwarded = stream.info.forward_host;
  const std::string_view asked = forwarded.empty() ? stream.request.authority : forwarded;
  if (!config.host.empty()) {
    host_ = arena_.copy(config.host);
    return;
  }
  if (forwarded.empty() && config.host_suffix.empty() && !stream.route()->config->preserve_host) {
    return;  // the endpoint's
  }
  // "a.example:8080" with the suffix "-mirror" is "a.example-mirror:8080".
  const size_t colon = asked.rfind(':');
  const bool has_port = colon != std::string_view::npos && asked.back() != ']';
  const std::string_view name = asked.substr(0, has_port ? colon : asked.size());
  const std::string_view port = asked.substr(name.size());
  char* const begin = arena_.allocate(asked.size() + config.host_suffix.size(), 1);
  char* to = std::copy(name.begin(), name.end(), begin);
  to = std::copy(config.host_suffix.begin(), config.host_suffix.end(), to);
  to = std::copy(port.begin(), port.end(), to);
  host_ = {begin, static_cast<size_t>(to - begin)};
}

void MirrorRequest::add(std::string_view bytes) noexcept {
  const size_t needed = body_bytes_ + bytes.size();
  if (!body_ || body_->capacity() < needed) {
    buffer::BlockRef larger = buffer::BlockRef::on_heap(std::max<size_t>(2 * needed, 4096));
    if (body_) {
      std::copy_n(body_->data(), body_bytes_, larger->data());
    }
    body_ = std::move(larger);
  }
  std::copy(bytes.begin(), bytes.end(), body_->data() + body_bytes_);
  body_bytes_ = static_cast<uint32_t>(needed);
}

/// The body is there: its length is known, however it came.
void MirrorRequest::complete_head() noexcept {
  if (body_bytes_ == 0) {
    return;
  }
  head_.framing = http::BodyFraming::kLength;
  head_.content_length = body_bytes_;
  static_cast<void>(
      head_.headers.set(HeaderName::kContentLength, buffer::decimal_text(body_bytes_, arena_)));
}

void MirrorRequest::send(filter::Stream& stream) noexcept {
  complete_head();
  endpoint_ = cluster_.pick({}, stream);
  if (endpoint_ == nullptr) {
    finish(false);
    return;
  }
  endpoint_->request_began();
  cluster_.stats().requests.add();
  cluster_.stats().active.add();
  arm(mirrors_.loop().timers(), timeout_);
  if (upstream::ClientStream* ready = endpoint_->take_ready(true)) {
    start(*ready);
  } else {
    endpoint_->open(*this);
  }
}

void MirrorRequest::start(upstream::ClientStream& place) noexcept {
  connection_ = &place;
  const upstream::OutgoingRequest request{.head = &head_,
                                          .target = target_,
                                          .host = host_.empty() ? endpoint_->host() : host_,
                                          .has_body = body_bytes_ != 0,
                                          .response = &response_,
                                          .arena = &arena_,
                                          .handler = this};
  place.send_request(request);
  if (connection_ == &place && body_bytes_ != 0) {
    place.send_data(buffer::Slice{body_, body_->data(), body_bytes_}, true);
  }
}

void MirrorRequest::on_connect(upstream::ClientStream* stream, const Error&) noexcept {
  if (stream != nullptr) {
    start(*stream);
  } else {
    finish(false);
  }
}

void MirrorRequest::on_response_head(bool end) noexcept {
  if (end) {
    connection_ = nullptr;
    finish(true);
  }
}

void MirrorRequest::on_response_data(buffer::Slice&& data, bool end) noexcept {
  answer_bytes_ += data.size;
  if (end) {
    connection_ = nullptr;
    finish(true);
  } else if (answer_bytes_ > kAnswerBytesMax) {
    finish(true);
  }
}

void MirrorRequest::on_response_trailers(const http::HeaderBlock&) noexcept {
  connection_ = nullptr;
  finish(true);
}

/// A pooled connection may have been closed meanwhile: that is worth another one.
void MirrorRequest::on_failure(const Error& error) noexcept {
  connection_ = nullptr;
  if (error.retry == Retry::kIfReused && !std::exchange(replayed_, true)) {
    endpoint_->open(*this);
    return;
  }
  finish(false);
}

void MirrorRequest::on_timer() noexcept {
  finish(false);
}

void MirrorRequest::drop() noexcept {
  cancel();
}

void MirrorRequest::finish(bool answered) noexcept {
  if (!ended_) {
    stats::UpstreamSlot& stats = cluster_.stats();
    (answered ? stats.mirrored_answered : stats.mirrored_failed).add();
    cancel();
  }
}

void MirrorRequest::cancel() noexcept {
  if (std::exchange(ended_, true)) {
    return;
  }
  disarm();
  upstream::ConnectHandler::unlink();
  if (upstream::ClientStream* connection = std::exchange(connection_, nullptr)) {
    connection->abandon();
  }
  if (upstream::Endpoint* endpoint = std::exchange(endpoint_, nullptr)) {
    endpoint->request_ended();
    cluster_.stats().active.subtract();
  }
  // Mirrors neither open nor close the circuit of an upstream that others use, too.
  cluster_.report(ticket_, policy::CircuitBreaker::Outcome::kUnknown);
  mirrors_.retire(*this);
}

}  // namespace hangu::proxy
