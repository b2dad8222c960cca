#include "hangu/upstream/http2_connection.h"

#include <algorithm>
#include <utility>

#include "hangu/base/assert.h"
#include "hangu/codec/http2/head_encoder.h"
#include "hangu/http/text.h"
#include "hangu/http/websocket.h"
#include "hangu/tls/digest.h"
#include "hangu/upstream/endpoint.h"

namespace hangu::upstream {

using codec::http2::ErrorCode;
using codec::http2::FieldSection;
using codec::http2::StreamSlot;

namespace {

constexpr std::string_view kKeepAlivePing = "hangu-ka";

// An upstream may use underscores in its field names: they are harmless on the way to a client.
constexpr codec::http2::FieldLimits kResponseLimits{.allow_underscore = true};

codec::http2::MultiplexerOptions options_of(Endpoint& endpoint) {
  const config::Http2Client& http2 = endpoint.cluster_config().http2;
  const Shared& shared = endpoint.shared();
  return {.role = codec::http2::FrameReader::Role::kClient,
          .concurrent_streams = 0,
          .stream_window = http2.stream_window_bytes,
          .connection_window = http2.connection_window_bytes,
          .fields = kResponseLimits,
          .stream_high_watermark = static_cast<uint32_t>(shared.write_high_watermark),
          .stream_low_watermark = static_cast<uint32_t>(shared.write_low_watermark)};
}

Http2ClientStream& stream_of(StreamSlot& slot) {
  return static_cast<Http2ClientStream&>(slot);
}

/// RFC 9113 §7, §8.7: what a reset says of the request.
Error error_of(ErrorCode code, bool response_started) {
  Error error = upstream_error(Errc::kReset, "the upstream reset the stream");
  if (!response_started) {
    error.retry = code == ErrorCode::kRefusedStream ? Retry::kRefused : Retry::kIfIdempotent;
  }
  return error;
}

}  // namespace

// --- a stream ---------------------------------------------------------------------------------

Http2ClientStream::Http2ClientStream(Http2Connection& connection)
    : StreamSlot(connection.endpoint().shared().small_blocks),
      connection_(connection),
      held_(connection.endpoint().shared().small_blocks),
      requests_before_(connection.requests_) {}

void Http2ClientStream::send_request(const OutgoingRequest& request) noexcept {
  request_ = request;
  codec::http2::RequestPseudo pseudo{.scheme = connection_.endpoint().secured() ? "https" : "http",
                                     .authority = request.host,
                                     .target = request.target};
  if (request.upgrade) {
    if (!connection_.multiplexer_.peer_allows_extended_connect()) {
      closed_ = true;
      fail(upstream_error(Errc::kNotImplemented, "the upstream takes no extended CONNECT"));
      let_go();
      return;
    }
    pseudo.protocol = request.head->headers.value(http::HeaderName::kUpgrade);
  }
  codec::http2::Multiplexer& multiplexer = connection_.multiplexer_;
  ++connection_.requests_;
  multiplexer.open(*this);
  multiplexer.send_head(*this,
                        codec::http2::encode_request_head(multiplexer.encoder(), *request.head,
                                                          pseudo, *request.arena),
                        !request.has_body && !request.upgrade);
}

void Http2ClientStream::send_data(buffer::Slice&& data, bool end) noexcept {
  if (!closed_) {
    connection_.multiplexer_.send_data(*this, std::move(data), end);
  }
}

void Http2ClientStream::send_trailers(const http::HeaderBlock& trailers) noexcept {
  if (closed_) {
    return;
  }
  request_trailers_.reset(*request_.arena);
  for (const http::Header& header : trailers) {
    static_cast<void>(request_trailers_.append(header));
  }
  connection_.multiplexer_.send_trailers(*this, request_trailers_, *request_.arena);
}

bool Http2ClientStream::congested() const noexcept {
  return !closed_ && connection_.multiplexer_.congested(*this);
}

void Http2ClientStream::receive(buffer::Slice&& data, bool end) noexcept {
  if (request_.handler == nullptr) {
    return;
  }
  if (!held_.empty() || delivering_ || request_.handler->response_congested()) {
    held_.append(std::move(data));
    held_end_ = held_end_ || end;
    return;
  }
  if (end && data.size == 0) {
    deliver_end();
    return;
  }
  const uint32_t size = data.size;
  request_.handler->on_response_data(std::move(data), false);
  connection_.multiplexer_.consume(*this, size);
}

void Http2ClientStream::receive_trailers() noexcept {
  has_trailers_ = !trailers_.empty();
  receive(buffer::Slice{}, true);
}

void Http2ClientStream::deliver_held() noexcept {
  if (std::exchange(delivering_, true)) {
    return;
  }
  while (request_.handler != nullptr && !held_.empty() && !request_.handler->response_congested()) {
    buffer::Slice piece = held_.take_front(held_.bytes());
    const uint32_t size = piece.size;
    request_.handler->on_response_data(std::move(piece), false);
    if (!closed_) {
      connection_.multiplexer_.consume(*this, size);
    }
  }
  delivering_ = false;
  // The end, too, waits for a filter that has paused the last piece.
  if (request_.handler != nullptr && held_.empty() && held_end_ &&
      !request_.handler->response_congested()) {
    deliver_end();
  }
  if (closed_ && held_.empty() && !held_end_) {
    let_go();
  }
}

void Http2ClientStream::deliver_end() noexcept {
  held_end_ = false;
  if (tunnel_) {
    request_.handler->on_tunnel_end();
    return;
  }
  ResponseHandler& handler = *std::exchange(request_.handler, nullptr);
  if (has_trailers_) {
    handler.on_response_trailers(trailers_);
  } else {
    handler.on_response_data(buffer::Slice{}, true);
  }
  // A request that is not complete is of no use any more.
  if (!closed_ && !end_queued()) {
    connection_.multiplexer_.reset(*this, ErrorCode::kCancel);
  }
}

void Http2ClientStream::resume_response() noexcept {
  if (!held_.empty() || held_end_) {
    deliver_held();
  }
}

void Http2ClientStream::fail(const Error& error) noexcept {
  held_.clear();
  held_end_ = false;
  if (ResponseHandler* handler = std::exchange(request_.handler, nullptr)) {
    handler->on_failure(error);
  }
}

void Http2ClientStream::abandon() noexcept {
  request_.handler = nullptr;
  held_.clear();
  held_end_ = false;
  if (!closed_) {
    connection_.multiplexer_.reset(*this, ErrorCode::kCancel);
  } else if (!delivering_) {
    let_go();
  }
}

/// Nobody refers to it any more.
void Http2ClientStream::let_go() noexcept {
  if (!std::exchange(buried_, true)) {
    connection_.endpoint().bury(*this);
  }
}

void Http2ClientStream::end_tunnel() noexcept {
  send_data(buffer::Slice{}, true);
}

void Http2ClientStream::finish_tunnel() noexcept {
  request_.handler = nullptr;
  if (!closed_ && !end_queued()) {
    connection_.multiplexer_.reset(*this, ErrorCode::kCancel);
  }
}

// --- the connection ---------------------------------------------------------------------------

Http2Connection::Http2Connection(Endpoint& endpoint, net::ConnectionPtr connection)
    : Connection(endpoint),
      connection_(std::move(connection)),
      multiplexer_(options_of(endpoint), *this),
      timer_(*this) {
  connection_->set_handler(this);
  created_ = idle_since_ = last_received_ = endpoint.shared().loop.now();
}

Http2Connection::~Http2Connection() = default;

void Http2Connection::begin() noexcept {
  multiplexer_.begin();
  arm();
}

bool Http2Connection::has_room() const noexcept {
  const Duration age_max = endpoint().cluster_config().connection_age_max;
  const bool old =
      age_max != Duration::zero() && endpoint().shared().loop.now() - created_ >= age_max;
  return ready_ && !leaving_ && !closed_ && !old && multiplexer_.can_open();
}

ClientStream& Http2Connection::open_stream() noexcept {
  HANGU_ASSERT(has_room());
  const config::Upstream& config = endpoint().cluster_config();
  const bool worn_out = config.requests_per_connection_max != 0 &&
                        requests_ + 1 >= config.requests_per_connection_max;
  leaving_ = leaving_ || worn_out;
  return *endpoint().shared().http2_streams.make(*this).release();  // until on_closed()
}

void Http2Connection::on_data(buffer::Slice data) noexcept {
  if (closed_) {
    return;
  }
  last_received_ = endpoint().shared().loop.now();
  endpoint().count_received(data.size);
  const auto received = multiplexer_.receive(std::move(data), last_received_);
  if (closed_) {
    return;
  }
  if (!received) {
    lose(Errc::kUnexpectedData, received.error().detail, 0);
    return;
  }
  end_if_done();
}

void Http2Connection::write(buffer::Slice&& bytes) noexcept {
  if (!closed_) {
    connection_->write(std::move(bytes));
  }
}

void Http2Connection::write_copy(std::string_view bytes) noexcept {
  if (!closed_) {
    connection_->write_copy(bytes);
  }
}

bool Http2Connection::output_congested() const noexcept {
  return closed_ || connection_->congested();
}

size_t Http2Connection::bounded(size_t bytes) const noexcept {
  return endpoint().shared().loop.bounded(bytes);
}

void Http2Connection::on_writable() noexcept {
  if (!closed_) {
    multiplexer_.pump();
  }
}

// --- responses --------------------------------------------------------------------------------

void Http2Connection::on_section(Slot& slot, bool trailers, FieldSection& section) noexcept {
  Http2ClientStream& stream = stream_of(slot);
  const OutgoingRequest& request = stream.request_;
  if (request.handler == nullptr) {
    return;  // stays discarded
  }
  stream.response_started_ = true;
  if (trailers) {
    stream.trailers_.reset(*request.arena);
    section.begin(FieldSection::Kind::kTrailers, stream.trailers_, *request.arena, kResponseLimits);
  } else {
    request.response->reset(*request.arena);
    section.begin(FieldSection::Kind::kResponse, request.response->headers, *request.arena,
                  kResponseLimits);
  }
}

bool Http2Connection::on_head(Slot& slot, FieldSection& section, bool end) noexcept {
  Http2ClientStream& stream = stream_of(slot);
  const OutgoingRequest& request = stream.request_;
  if (request.handler == nullptr) {
    return true;
  }
  http::ResponseHead& response = *request.response;
  const Result<void> parsed = section.finish_response(response, request.head->method, end);
  if (!parsed) {
    Error error = parsed.error();
    error.side = Side::kUpstream;
    stream.fail(error);
    multiplexer_.reset(slot, ErrorCode::kProtocolError);
    return true;
  }
  if (response.status < 200) {
    return accept_informational(stream);
  }
  if (request.upgrade && response.status < 300) {
    return begin_tunnel(stream);
  }
  if (response.framing == http::BodyFraming::kLength) {
    multiplexer_.expect_body(slot, response.content_length);
  }
  if (!end) {
    request.handler->on_response_head(false);
    return true;
  }
  ResponseHandler& handler = *std::exchange(stream.request_.handler, nullptr);
  handler.on_response_head(true);
  if (!stream.closed_ && !stream.end_queued()) {
    multiplexer_.reset(slot, ErrorCode::kCancel);
  }
  return true;
}

bool Http2Connection::accept_informational(Http2ClientStream& stream) noexcept {
  stream.request_.handler->on_informational(*stream.request_.response);
  return false;
}

/// RFC 8441 §5: 200 begins the tunnel, which HTTP/1.1 calls 101.
bool Http2Connection::begin_tunnel(Http2ClientStream& stream) noexcept {
  const OutgoingRequest& request = stream.request_;
  http::ResponseHead& response = *request.response;
  response.status = 101;
  response.reason = http::reason_phrase(101);
  response.framing = http::BodyFraming::kNone;
  response.upgrade = true;
  bool fits = response.headers.set(http::HeaderName::kUpgrade, "websocket");
  if (const http::Header* key = request.head->headers.find("sec-websocket-key")) {
    char* const text = request.arena->allocate(http::kWebsocketAcceptChars, 1);
    http::write_websocket_accept(
        tls::sha1(std::string(key->value()).append(http::kWebsocketGuid)),
        std::span<char, http::kWebsocketAcceptChars>(text, http::kWebsocketAcceptChars));
    fits =
        fits && response.headers.set("sec-websocket-accept", {text, http::kWebsocketAcceptChars});
  }
  if (!fits) {
    stream.fail(upstream_error(Errc::kHeadersTooLarge, "too many header fields"));
    multiplexer_.reset(stream, ErrorCode::kCancel);
    return true;
  }
  stream.tunnel_ = true;
  request.handler->on_response_head(false);
  return true;
}

void Http2Connection::on_trailers(Slot& slot, FieldSection& section) noexcept {
  Http2ClientStream& stream = stream_of(slot);
  if (stream.request_.handler == nullptr) {
    return;
  }
  const Result<void> parsed = section.finish_trailers();
  if (parsed) {
    stream.receive_trailers();
    return;
  }
  Error error = parsed.error();
  error.side = Side::kUpstream;
  stream.fail(error);
  multiplexer_.reset(slot, ErrorCode::kProtocolError);
}

void Http2Connection::on_data(Slot& slot, buffer::Slice&& data, bool end) noexcept {
  Http2ClientStream& stream = stream_of(slot);
  if (stream.request_.handler != nullptr) {
    stream.receive(std::move(data), end);
  } else {
    multiplexer_.consume(slot, data.size);
  }
}

void Http2Connection::on_writable(Slot& slot) noexcept {
  if (ResponseHandler* handler = stream_of(slot).request_.handler) {
    handler->on_request_writable();
  }
}

// --- ends of streams --------------------------------------------------------------------------

void Http2Connection::on_reset(Slot& slot, ErrorCode code, bool by_peer) noexcept {
  Http2ClientStream& stream = stream_of(slot);
  stream.fail(by_peer ? error_of(code, stream.response_started_)
                      : upstream_error(Errc::kUnexpectedData, "the upstream broke HTTP/2's rules"));
}

void Http2Connection::on_closed(Slot& slot) noexcept {
  Http2ClientStream& stream = stream_of(slot);
  stream.closed_ = true;
  // A whole response may still wait for its client: then the last delivery buries the stream.
  if (stream.request_.handler == nullptr || (stream.held_.empty() && !stream.held_end_)) {
    stream.let_go();
  }
  if (multiplexer_.streams() == 0) {
    idle_since_ = endpoint().shared().loop.now();
  }
}

/// Streams above `last_stream` were not processed, whatever they asked for (§6.8).
void Http2Connection::on_goaway(uint32_t last_stream, ErrorCode) noexcept {
  leaving_ = true;
  Error error = upstream_error(Errc::kReset, "the upstream leaves");
  error.retry = Retry::kGoaway;
  multiplexer_.for_each_stream([&](Slot& slot) {
    if (slot.id() > last_stream) {
      stream_of(slot).fail(error);
      multiplexer_.reset(slot, ErrorCode::kCancel);
    }
  });
}

void Http2Connection::on_ping_ack(std::string_view) noexcept {
  ping_pending_ = false;
}

void Http2Connection::on_settings(bool) noexcept {
  if (!std::exchange(ready_, true)) {
    endpoint().http2_ready(*this);
  }
}

// --- ends of the connection -------------------------------------------------------------------

void Http2Connection::on_end() noexcept {
  lose(Errc::kReset, "the upstream closed the connection", 0);
}

void Http2Connection::on_error(Error error) noexcept {
  lose(Errc::kReset, error.detail, error.sys_errno);
}

void Http2Connection::lose(Errc code, const char* detail, int sys_errno) noexcept {
  if (closed_) {
    return;
  }
  const Error error = upstream_error(code, detail, sys_errno);
  leaving_ = true;
  if (!ready_) {
    endpoint().http2_not_ready(error);
  }
  multiplexer_.for_each_stream([&](Slot& slot) {
    Http2ClientStream& stream = stream_of(slot);
    Error of_stream = error;
    if (code == Errc::kReset && !stream.response_started_) {
      of_stream.retry = stream.requests_before_ != 0 ? Retry::kIfReused : Retry::kIfIdempotent;
    }
    stream.fail(of_stream);
    multiplexer_.reset(slot, ErrorCode::kCancel);
  });
  close();
}

void Http2Connection::end_if_done() noexcept {
  if (leaving_ && ready_ && multiplexer_.streams() == 0) {
    close();
  }
}

void Http2Connection::retire() noexcept {
  leaving_ = true;
  end_if_done();
}

void Http2Connection::close_if_idle() noexcept {
  if (multiplexer_.streams() == 0) {
    close();
  }
}

void Http2Connection::close() noexcept {
  if (closed_) {
    return;
  }
  if (!multiplexer_.failed()) {
    multiplexer_.send_goaway(0, ErrorCode::kNoError);
  }
  closed_ = true;
  timer_.disarm();
  multiplexer_.for_each_stream([&](Slot& slot) {
    stream_of(slot).request_.handler = nullptr;
    multiplexer_.reset(slot, ErrorCode::kCancel);
  });
  connection_->set_handler(nullptr);
  net::close_after_flush(std::move(connection_), false);
  endpoint().remove(*this);
}

// --- time -------------------------------------------------------------------------------------

void Http2Connection::arm() noexcept {
  const config::Upstream& config = endpoint().cluster_config();
  Duration next = config.idle_timeout;
  if (!ready_) {
    next = std::min(next, config.connect_timeout);
  }
  if (config.http2.ping_interval != Duration::zero()) {
    next = std::min(next, ping_pending_ ? config.http2.ping_timeout : config.http2.ping_interval);
  }
  timer_.arm(endpoint().shared().loop.timers(), next);
}

void Http2Connection::on_timeout() noexcept {
  const config::Upstream& config = endpoint().cluster_config();
  const TimePoint now = endpoint().shared().loop.now();
  if (!ready_) {
    lose(Errc::kConnectTimeout, "the upstream sent no settings in time", 0);
    return;
  }
  if (multiplexer_.streams() == 0 && now - idle_since_ >= config.idle_timeout) {
    close();
    return;
  }
  const Duration interval = config.http2.ping_interval;
  if (ping_pending_ && now - ping_sent_ >= config.http2.ping_timeout &&
      last_received_ < ping_sent_) {
    lose(Errc::kReset, "the upstream does not answer PING", 0);
    return;
  }
  if (!ping_pending_ && interval != Duration::zero() && now - last_received_ >= interval) {
    ping_pending_ = true;
    ping_sent_ = now;
    multiplexer_.send_ping(kKeepAlivePing);
  }
  arm();
}

}  // namespace hangu::upstream
