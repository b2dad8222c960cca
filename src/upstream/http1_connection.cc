#include "hangu/upstream/http1_connection.h"

#include <cerrno>
#include <utility>

#include "hangu/base/assert.h"
#include "hangu/codec/http1/chunk_writer.h"
#include "hangu/codec/http1/response_parser.h"
#include "hangu/codec/http1/serialiser.h"
#include "hangu/upstream/endpoint.h"

namespace hangu::upstream {

using codec::http1::BodyDecoder;
using codec::http1::HeadScanner;

namespace {

// An upstream may use underscores in its field names: they are harmless on the way to a client.
constexpr codec::http1::Limits kResponseLimits{.allow_underscore = true};

}  // namespace

Http1Connection::Http1Connection(Endpoint& endpoint, net::ConnectionPtr connection)
    : Connection(endpoint),
      connection_(std::move(connection)),
      timer_(*this),
      reader_(HeadScanner::Kind::kResponse, kResponseLimits) {
  connection_->set_handler(this);
  created_ = endpoint.shared().loop.now();
}

void Http1Connection::on_timeout() noexcept {
  if (idle_) {
    close();
  }
}

void Http1Connection::start_idle_timer(Duration timeout) noexcept {
  // It is left armed while a request is on its way: moving a deadline on costs less than disarming.
  timer_.arm(endpoint().shared().loop.timers(), timeout);
}

// --- the request ------------------------------------------------------------------------------

void Http1Connection::send_request(const OutgoingRequest& request) noexcept {
  HANGU_ASSERT(state_ == State::kIdle);
  request_ = request;
  request_sent_ = !request.has_body;
  response_started_ = false;
  state_ = State::kHead;
  ++requests_;
  connection_->write(
      codec::http1::serialise_request_head(*request.head,
                                           {.framing = request.head->framing,
                                            .content_length = request.head->content_length,
                                            .upgrade = request.upgrade,
                                            .target = request.target,
                                            .host = request.host},
                                           *request.arena));
}

void Http1Connection::send_data(buffer::Slice&& data, bool end) noexcept {
  if (state_ == State::kClosed || state_ == State::kIdle) {
    return;
  }
  if (state_ == State::kTunnel || !chunked()) {
    if (data.size != 0) {
      connection_->write(std::move(data));
    }
  } else {
    codec::http1::write_chunked(*connection_, std::move(data), end);
  }
  request_sent_ = request_sent_ || end;
}

net::Connection* Http1Connection::request_target() noexcept {
  const bool carries = state_ == State::kHead || state_ == State::kBody;
  return carries && !chunked() ? connection_.get() : nullptr;
}

void Http1Connection::send_trailers(const http::HeaderBlock& trailers) noexcept {
  if (state_ != State::kHead && state_ != State::kBody) {
    return;
  }
  if (chunked()) {
    connection_->write(codec::http1::serialise_trailers(trailers, *request_.arena));
  }
  request_sent_ = true;
}

void Http1Connection::end_tunnel() noexcept {
  if (state_ == State::kTunnel) {
    connection_->shutdown_write();
  }
}

void Http1Connection::on_writable() noexcept {
  if (request_.handler != nullptr) {
    request_.handler->on_request_writable();
  }
}

// --- the response -----------------------------------------------------------------------------

void Http1Connection::on_data(buffer::Slice data) noexcept {
  if (state_ == State::kIdle) {
    close();  // an answer to no question: never let it meet the next request
    return;
  }
  if (state_ != State::kClosed) {
    endpoint().count_received(data.size);
    process(std::move(data));
  }
}

void Http1Connection::process(buffer::Slice&& data) noexcept {
  processing_ = true;
  bool more = true;
  while (more && data.size != 0) {
    switch (state_) {
      case State::kHead: more = process_head(data); break;
      case State::kBody: more = process_body(data); break;
      case State::kTunnel:
        if (request_.handler->response_congested()) {
          hold(std::exchange(data, {}));
        } else {
          request_.handler->on_response_data(std::exchange(data, {}), false);
        }
        more = false;
        break;
      case State::kIdle:  // bytes behind the end of the response
        close();
        more = false;
        break;
      case State::kClosed: more = false; break;
    }
  }
  processing_ = false;
  if (state_ == State::kBody && !holding_) {
    splice_rest();
  }
}

/// Nobody has to see what is left of a large body.
void Http1Connection::splice_rest() noexcept {
  const uint64_t left = decoder_.remaining();
  if (left < net::kSpliceBytesMin) {
    return;
  }
  net::Connection* target = left != UINT64_MAX ? request_.handler->response_target() : nullptr;
  if (target != nullptr) {
    connection_->splice_to(*target, left);
  } else {
    connection_->limit_receive(0);
  }
}

void Http1Connection::on_spliced(uint64_t bytes) noexcept {
  endpoint().count_received(bytes);
  decoder_.skip(bytes);
  ResponseHandler& handler = *request_.handler;
  const bool end = decoder_.finished();
  if (end) {
    finish_response(true);
  }
  handler.on_response_spliced(bytes, end);
}

bool Http1Connection::process_head(buffer::Slice& data) noexcept {
  response_started_ = true;
  auto step = reader_.read(data.view(), *request_.arena);
  if (!step) {
    fail_exchange(step.error());
    return false;
  }
  data.remove_prefix(step->consumed);
  if (!step->complete) {
    return false;
  }
  reader_.reset();
  return accept_head(step->head, data.size == 0);
}

bool Http1Connection::accept_head(std::string_view head, bool last_byte) noexcept {
  http::ResponseHead& response = *request_.response;
  response.reset(*request_.arena);
  const Result<void> parsed =
      codec::http1::parse_response_head(head, request_.head->method, kResponseLimits, response);
  if (!parsed) {
    fail_exchange(parsed.error());
    return false;
  }
  if (response.status < 200) {
    return accept_informational();
  }
  ResponseHandler& handler = *request_.handler;
  if (response.framing == http::BodyFraming::kNone ||
      (response.framing == http::BodyFraming::kLength && response.content_length == 0)) {
    finish_response(last_byte);
    handler.on_response_head(true);
    return false;
  }
  decoder_.begin(response.framing, response.content_length, *request_.arena, kResponseLimits,
                 Side::kUpstream);
  state_ = State::kBody;
  handler.on_response_head(false);
  return state_ == State::kBody;
}

bool Http1Connection::accept_informational() noexcept {
  http::ResponseHead& response = *request_.response;
  if (response.status != 101) {
    request_.handler->on_informational(response);
    return state_ == State::kHead;
  }
  if (!request_.upgrade) {
    fail_exchange(upstream_error(Errc::kUnexpectedData, "101 without a request to upgrade"));
    return false;
  }
  state_ = State::kTunnel;
  request_.handler->on_response_head(false);
  return state_ == State::kTunnel;
}

bool Http1Connection::process_body(buffer::Slice& data) noexcept {
  if (request_.handler->response_congested()) {
    hold(std::exchange(data, {}));
    return false;
  }
  auto step = decoder_.next(data.view());
  if (!step) {
    fail_exchange(step.error());
    return false;
  }
  ResponseHandler& handler = *request_.handler;
  buffer::Slice piece = data.subslice(step->data);
  data.remove_prefix(step->consumed);
  switch (step->kind) {
    case BodyDecoder::Step::Kind::kNeedMore: return false;
    case BodyDecoder::Step::Kind::kData: {
      const bool end = decoder_.finished();
      if (end) {
        finish_response(data.size == 0);
      }
      handler.on_response_data(std::move(piece), end);
      return !end;
    }
    case BodyDecoder::Step::Kind::kEnd: {
      const http::HeaderBlock* trailers = decoder_.trailers();
      const bool with_trailers = trailers != nullptr && trailers->size() != 0;
      finish_response(data.size == 0);
      if (with_trailers) {
        handler.on_response_trailers(*trailers);
      } else {
        handler.on_response_data(buffer::Slice{}, true);
      }
      return false;
    }
  }
  return false;
}

void Http1Connection::hold(buffer::Slice&& rest) noexcept {
  held_ = std::move(rest);
  holding_ = true;
  connection_->pause_reading();
}

void Http1Connection::resume_response() noexcept {
  if (!holding_ || processing_ || state_ == State::kClosed) {
    return;
  }
  holding_ = false;
  process(std::exchange(held_, {}));
  if (!holding_ && state_ != State::kClosed) {
    if (peer_ended_) {
      on_end();
    } else {
      connection_->resume_reading();
    }
  }
}

/// The response is complete (`clean`: and nothing follows it): the connection leaves the exchange
/// before its handler hears the end.
void Http1Connection::finish_response(bool clean) noexcept {
  const bool keep = clean && request_sent_ && request_.response->keep_alive && !peer_ended_;
  request_.handler = nullptr;
  if (keep) {
    // An endpoint that answers at length will do so again: leave the next body to be spliced.
    const bool large = request_.response->framing == http::BodyFraming::kLength &&
                       request_.response->content_length >= net::kSpliceBytesMin;
    connection_->limit_receive(large ? net::kSpliceHeadBytes : 0);
    state_ = State::kIdle;
    endpoint().release(*this);
  } else {
    close();
  }
}

// --- ends -------------------------------------------------------------------------------------

void Http1Connection::on_end() noexcept {
  peer_ended_ = true;
  if (holding_) {
    return;  // first what came before the end
  }
  switch (state_) {
    case State::kTunnel: request_.handler->on_tunnel_end(); break;
    case State::kHead:
      fail_exchange(lost(Errc::kReset, "upstream closed before its response", 0));
      break;
    case State::kBody: {
      const Result<void> ended = decoder_.on_eof();
      if (!ended) {
        fail_exchange(ended.error());
        break;
      }
      ResponseHandler& handler = *request_.handler;
      finish_response(false);
      handler.on_response_data(buffer::Slice{}, true);
      break;
    }
    case State::kIdle: close(); break;
    case State::kClosed: break;
  }
}

void Http1Connection::on_error(Error error) noexcept {
  if (state_ == State::kIdle) {
    close();
  } else if (state_ != State::kClosed) {
    fail_exchange(lost(Errc::kReset, error.detail, error.sys_errno));
  }
}

Error Http1Connection::lost(Errc code, const char* detail, int sys_errno) const noexcept {
  Error error = upstream_error(code, detail, sys_errno);
  if (!response_started_) {
    error.retry = requests_ > 1 ? Retry::kIfReused : Retry::kIfIdempotent;
  }
  return error;
}

void Http1Connection::fail_exchange(Error error) noexcept {
  error.side = Side::kUpstream;
  ResponseHandler* handler = std::exchange(request_.handler, nullptr);
  close();
  if (handler != nullptr) {
    handler->on_failure(error);
  }
}

void Http1Connection::abandon() noexcept {
  request_.handler = nullptr;
  if (state_ != State::kIdle) {
    close();
  }
}

void Http1Connection::finish_tunnel() noexcept {
  if (state_ == State::kTunnel) {
    net::close_after_flush(std::move(connection_), false);
    close();
  }
}

void Http1Connection::release(net::RelayEnd& server) noexcept {
  HANGU_ASSERT(releasable());
  server = {.connection = std::move(connection_), .received = std::exchange(held_, {})};
  state_ = State::kClosed;
  timer_.disarm();
  request_.handler = nullptr;
  holding_ = false;
  endpoint().lend(*this);
}

void Http1Connection::retire() noexcept {
  if (state_ == State::kIdle) {
    close();
  }
}

void Http1Connection::close() noexcept {
  if (state_ == State::kClosed) {
    return;
  }
  state_ = State::kClosed;
  timer_.disarm();
  request_.handler = nullptr;
  held_ = {};
  holding_ = false;
  reader_.reset();
  connection_.reset();
  endpoint().forget_idle(*this);
  endpoint().remove(*this);
}

}  // namespace hangu::upstream
