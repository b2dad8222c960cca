#include "hangu/downstream/http1_session.h"

#include <utility>

#include "hangu/codec/http1/chunk_writer.h"
#include "hangu/codec/http1/request_parser.h"
#include "hangu/codec/http1/serialiser.h"
#include "hangu/downstream/session_table.h"
#include "hangu/filter/edge_rules.h"

#include "downstream/tunnel_session.h"

namespace hangu::downstream {

using codec::http1::BodyDecoder;
using codec::http1::HeadScanner;

namespace {

// After an early response the rest of the request body is worth reading, to keep the connection, up
// to this much; beyond it closing is cheaper for both sides.
constexpr uint64_t kDiscardBytesMax = 256 * 1024;

}  // namespace

Http1Session::Http1Session(SessionTable& table, ListenerContext& listener,
                           net::ConnectionPtr connection, const Peer& peer)
    : Session(table, listener),
      connection_(std::move(connection)),
      timer_(*this),
      reader_(HeadScanner::Kind::kRequest, listener.limits),
      peer_(peer) {
  connection_->set_handler(this);
}

void Http1Session::begin(buffer::Slice&& seen, buffer::Slice&& data) noexcept {
  const bool hurry = draining_ && !table().patient();
  arm(hurry ? kDrainGrace : listener().runtime->config->timeouts.header);
  connection_->resume_reading();
  for (buffer::Slice* piece : {&seen, &data}) {
    if (piece->size != 0) {
      on_data(std::move(*piece));
    }
  }
}

void Http1Session::go_on(uint64_t requests) noexcept {
  requests_ = requests;
  arm(listener().runtime->config->timeouts.idle);
  connection_->resume_reading();
  move_if_idle();
}

// --- input ------------------------------------------------------------------------------------

void Http1Session::on_data(buffer::Slice data) noexcept {
  process(std::move(data));
  if (holding_) {
    resume_input();
  }
}

void Http1Session::process(buffer::Slice&& data) noexcept {
  processing_ = true;
  bool more = true;
  while (more && data.size != 0) {
    switch (state_) {
      case State::kIdle:
        if (connection_->congested()) {
          // The client sends requests but takes no answers: it has to wait for itself.
          hold(std::exchange(data, {}));
          more = false;
          break;
        }
        [[fallthrough]];
      case State::kHead: more = process_head(data); break;
      case State::kBody:
      case State::kDiscard: more = process_body(data); break;
      case State::kTunnel: more = process_tunnel(data); break;
      case State::kResponse:  // pipelined: its turn comes after the response in progress
        hold(std::exchange(data, {}));
        more = false;
        break;
      case State::kClosed: more = false; break;
    }
  }
  processing_ = false;
  if (state_ == State::kBody && !holding_) {
    splice_body();
  }
}

bool Http1Session::input_wanted() const noexcept {
  switch (state_) {
    case State::kIdle: return !connection_->congested();
    case State::kHead:
    case State::kDiscard: return true;
    case State::kBody:
    case State::kTunnel: return !body_paused_;
    case State::kResponse:
    case State::kClosed: return false;
  }
  return false;
}

void Http1Session::hold(buffer::Slice&& rest) noexcept {
  held_ = std::move(rest);
  holding_ = true;
  connection_->pause_reading();
}

void Http1Session::resume_input() noexcept {
  while (holding_ && !processing_ && input_wanted()) {
    holding_ = false;
    process(std::exchange(held_, {}));
    if (!holding_ && state_ != State::kClosed) {
      connection_->resume_reading();
    }
  }
}

bool Http1Session::process_head(buffer::Slice& data) noexcept {
  if (stream_ == nullptr) {
    open_stream();
  }
  auto step = reader_.read(data.view(), stream_->arena());
  if (!step) {
    reject_request(step.error());
    return false;
  }
  data.remove_prefix(step->consumed);
  if (!step->complete) {
    if (state_ != State::kHead) {
      state_ = State::kHead;
      arm(listener().runtime->config->timeouts.header);
    }
    return false;
  }
  reader_.reset();
  const Result<void> parsed =
      codec::http1::parse_request_head(step->head, listener().limits, stream_->request);
  if (!parsed) {
    reject_request(parsed.error());
    return false;
  }
  begin_request();
  return true;
}

/// Trust may change with the config while the connection lives.
void Http1Session::follow_config() noexcept {
  if (trust_from_ != listener().runtime) {
    trust_from_ = listener().runtime;
    peer_.set_trusted(trust_from_->trusted_proxies.contains(peer_.ip()));
  }
}

void Http1Session::open_stream() noexcept {
  follow_config();
  filter::ResponseWriter& writer = *this;
  stream_ =
      table().streams().make(table().shard(), writer, listener().snapshot, *listener().runtime);
}

void Http1Session::begin_request() noexcept {
  const config::Listener& config = *listener().runtime->config;
  filter::Stream& stream = *stream_;
  const http::RequestHead& request = stream.request;
  ++requests_;
  keep_alive_ =
      request.keep_alive && !draining_ &&
      (config.requests_per_connection_max == 0 || requests_ < config.requests_per_connection_max);
  body_paused_ = false;
  chunk_response_ = false;
  const bool end = request.framing == http::BodyFraming::kNone ||
                   (request.framing == http::BodyFraming::kLength && request.content_length == 0);
  if (end) {
    state_ = State::kResponse;
    arm_for_response();
  } else {
    state_ = State::kBody;
    decoder_.begin(request.framing, request.content_length, stream.arena());
    arm(config.timeouts.body_idle);
  }
  if (const Result<void> admitted = filter::apply_edge_rules(stream, peer_view()); !admitted) {
    reject_request(admitted.error());
    return;
  }
  stream.start(end);
}

/// The head cannot be served, or not even be understood: one reply, then the connection ends.
void Http1Session::reject_request(const Error& error) noexcept {
  state_ = State::kResponse;
  keep_alive_ = false;
  rejected_ = true;
  table().shard().stats().count_parse_error(error.code);
  Error downstream = error;
  downstream.side = Side::kDownstream;
  if (stream_->info.request_id.empty()) {
    filter::identify_rejected(*stream_, peer_view());
  }
  stream_->reject(downstream);
}

filter::PeerView Http1Session::peer_view() const noexcept {
  return {.ip = peer_.ip(),
          .port = peer_.port(),
          .source = peer_.source(),
          .trusted = peer_.trusted(),
          .tls = tls_view(connection_->security())};
}

bool Http1Session::process_body(buffer::Slice& data) noexcept {
  const bool discard = state_ == State::kDiscard;
  if (body_paused_ && !discard) {
    hold(std::exchange(data, {}));
    return false;
  }
  auto step = decoder_.next(data.view());
  if (!step) {
    if (discard) {
      close();
    } else {
      table().shard().stats().count_parse_error(step.error().code);
      rejected_ = true;
      stream_->on_request_error(step.error());
    }
    return false;
  }
  buffer::Slice piece = data.subslice(step->data);
  data.remove_prefix(step->consumed);
  if (step->kind == BodyDecoder::Step::Kind::kNeedMore) {
    return false;
  }
  const bool end = decoder_.finished();
  if (discard) {
    return discard_body(piece.size, end);
  }
  if (!end) {
    arm(listener().runtime->config->timeouts.body_idle);
    stream_->on_request_data(std::move(piece), false);
    return true;
  }
  state_ = State::kResponse;
  arm_for_response();
  const http::HeaderBlock* trailers = decoder_.trailers();
  if (trailers != nullptr && trailers->size() != 0) {
    stream_->on_request_trailers(*trailers);
  } else {
    stream_->on_request_data(std::move(piece), true);
  }
  return true;
}

/// Nobody has to see what is left of a large body.
void Http1Session::splice_body() noexcept {
  const uint64_t left = decoder_.remaining();
  if (left < net::kSpliceBytesMin) {
    return;
  }
  net::Connection* target = left != UINT64_MAX ? stream_->request_target() : nullptr;
  if (target != nullptr) {
    connection_->splice_to(*target, left);
  } else {
    connection_->limit_receive(0);
  }
}

void Http1Session::on_spliced(uint64_t bytes) noexcept {
  decoder_.skip(bytes);
  const bool end = decoder_.finished();
  if (end) {
    state_ = State::kResponse;
    arm_for_response();
  } else {
    arm(listener().runtime->config->timeouts.body_idle);
  }
  stream_->on_request_spliced(bytes, end);
}

bool Http1Session::discard_body(size_t bytes, bool end) noexcept {
  discarded_bytes_ += bytes;
  if (end) {
    next_request();
  } else if (discarded_bytes_ > kDiscardBytesMax) {
    close_after_flush();
  }
  return true;
}

bool Http1Session::process_tunnel(buffer::Slice& data) noexcept {
  if (body_paused_) {
    hold(std::exchange(data, {}));
  } else {
    stream_->on_request_data(std::move(data), false);
  }
  return false;
}

// --- the stream's answers ---------------------------------------------------------------------

void Http1Session::pause_request(filter::Stream&, bool paused) noexcept {
  body_paused_ = paused;
  if (state_ == State::kBody) {
    if (paused) {
      arm_for_response();
    } else {
      arm(listener().runtime->config->timeouts.body_idle);
    }
  }
  if (!paused) {
    resume_input();
  }
}

bool Http1Session::congested(const filter::Stream&) const noexcept {
  return connection_ != nullptr && connection_->congested();
}

net::Connection* Http1Session::response_target(const filter::Stream&) noexcept {
  return chunk_response_ ? nullptr : connection_.get();
}

void Http1Session::on_writable() noexcept {
  if (stream_ != nullptr) {
    stream_->on_response_writable();
  } else {
    resume_input();
  }
}

void Http1Session::write_informational(filter::Stream& stream,
                                       const http::ResponseHead& head) noexcept {
  if (stream.request.version != http::Version::kHttp10) {
    connection_->write(codec::http1::serialise_response_head(
        head, {.framing = http::BodyFraming::kNone}, stream.arena()));
  }
}

void Http1Session::write_head(filter::Stream& stream, bool end) noexcept {
  const http::ResponseHead& response = stream.response;
  const bool http10 = stream.request.version == http::Version::kHttp10;
  codec::http1::ResponseFraming framing{.http10 = http10};
  if (response.framing == http::BodyFraming::kLength) {
    framing.framing = http::BodyFraming::kLength;
    framing.content_length = response.content_length;
  } else if (!end && response.status != 101) {
    framing.framing = http10 ? http::BodyFraming::kUntilClose : http::BodyFraming::kChunked;
    keep_alive_ = keep_alive_ && !http10;
  }
  keep_alive_ = keep_alive_ && !draining_ && !stream.close_wanted() && !body_left_is_large();
  chunk_response_ = framing.framing == http::BodyFraming::kChunked;
  framing.close = !keep_alive_;
  framing.upgrade = response.status == 101;
  connection_->write(codec::http1::serialise_response_head(response, framing, stream.arena()));
  if (response.status == 101) {
    state_ = State::kTunnel;
    keep_alive_ = false;
    table().shard().stats().upgrades_active.add();
    resume_input();
  } else {
    if (state_ == State::kResponse) {
      arm_for_response();
    }
    if (end) {
      response_complete();
    }
  }
}

/// Whether so much of the request body is still to come that it is not worth reading it.
bool Http1Session::body_left_is_large() const noexcept {
  if (state_ != State::kBody) {
    return false;
  }
  const http::RequestHead& request = stream_->request;
  return request.framing == http::BodyFraming::kChunked || request.expect_continue ||
         decoder_.remaining() > kDiscardBytesMax;
}

void Http1Session::write_data(filter::Stream&, buffer::Slice&& data, bool end) noexcept {
  if (connection_ == nullptr) {
    return;
  }
  if (chunk_response_) {
    codec::http1::write_chunked(*connection_, std::move(data), end);
  } else if (data.size != 0) {
    connection_->write(std::move(data));
  }
  if (!end) {
    return;
  }
  if (state_ == State::kTunnel) {
    tunnel_out_end_ = true;
    connection_->shutdown_write();
    end_tunnel_if_done();
  } else {
    response_complete();
  }
}

void Http1Session::write_trailers(filter::Stream& stream,
                                  const http::HeaderBlock& trailers) noexcept {
  if (chunk_response_) {
    connection_->write(codec::http1::serialise_trailers(trailers, stream.arena()));
  }
  response_complete();
}

void Http1Session::abort(filter::Stream& stream) noexcept {
  if (connection_ == nullptr) {
    return;
  }
  const bool length_known = stream.response.framing == http::BodyFraming::kLength;
  if (!length_known && !chunk_response_ && state_ != State::kTunnel) {
    connection_
        ->reset();  // only a reset tells that a body which ends with the connection is cut off
    close();
  } else {
    close_after_flush();
  }
}

filter::TunnelOwner* Http1Session::release(filter::Stream&, net::RelayEnd& client) noexcept {
  if (state_ != State::kTunnel || tunnel_in_end_ || tunnel_out_end_) {
    return nullptr;
  }
  client = {.connection = std::move(connection_), .received = std::exchange(held_, {})};
  holding_ = false;
  state_ = State::kClosed;
  timer_.disarm();
  table().bury(std::move(stream_));
  auto session = std::make_unique<TunnelSession>(table(), listener());
  TunnelSession& owner = *session;
  table().replace(*this, std::move(session), {}, {});
  return &owner;
}

// --- from one request to the next -------------------------------------------------------------

void Http1Session::response_complete() noexcept {
  stream_->finish();
  if (!keep_alive_) {
    close_after_flush();
  } else if (state_ == State::kBody) {
    state_ = State::kDiscard;
    discarded_bytes_ = 0;
    body_paused_ = false;
    arm(listener().runtime->config->timeouts.body_idle);
    resume_input();
  } else {
    next_request();
  }
}

void Http1Session::next_request() noexcept {
  // A client that uploads at length will do so again: leave the next body to be spliced.
  const http::RequestHead& request = stream_->request;
  const bool large = request.framing == http::BodyFraming::kLength &&
                     request.content_length >= net::kSpliceBytesMin;
  end_stream();
  if (draining_) {
    close_after_flush();
    return;
  }
  state_ = State::kIdle;
  connection_->limit_receive(large ? net::kSpliceHeadBytes : 0);
  arm(listener().runtime->config->timeouts.idle);
  if (holding_) {
    table().shard().stats().pipelined.add();
    resume_input();
  } else {
    move_if_idle();
  }
}

void Http1Session::end_stream() noexcept {
  if (stream_ != nullptr) {
    if (state_ == State::kTunnel) {
      table().shard().stats().upgrades_active.subtract();
    }
    stream_->finish();
    reader_.reset();
    table().bury(std::move(stream_));
  }
}

void Http1Session::end_tunnel_if_done() noexcept {
  if (tunnel_in_end_ && tunnel_out_end_) {
    close_after_flush();
  }
}

// --- ends -------------------------------------------------------------------------------------

void Http1Session::on_end() noexcept {
  switch (state_) {
    case State::kTunnel:
      if (!tunnel_in_end_) {
        tunnel_in_end_ = true;
        stream_->on_request_data(buffer::Slice{}, true);
        end_tunnel_if_done();
      }
      break;
    case State::kBody:
    case State::kResponse:
      // The client has closed. Like every large gateway we take that as a disconnect and stop the
      // upstream's work, although a half-closed client could still read: see docs/decisions.md.
      stream_->on_client_gone();
      close();
      break;
    case State::kIdle:
    case State::kHead:
    case State::kDiscard: close(); break;
    case State::kClosed: break;
  }
}

void Http1Session::on_error(Error) noexcept {
  if (stream_ != nullptr) {
    stream_->on_client_gone();
  }
  close();
}

void Http1Session::close_after_flush() noexcept {
  if (state_ == State::kClosed) {
    return;
  }
  // Unread input would make the kernel answer our close with a reset, which can destroy the reply
  // on its way (RFC 9112 §9.6): then linger.
  const bool linger = rejected_ || holding_ || state_ == State::kBody || state_ == State::kDiscard;
  end_stream();
  state_ = State::kClosed;
  timer_.disarm();
  held_ = {};
  holding_ = false;
  connection_->set_handler(nullptr);
  net::close_after_flush(std::move(connection_), linger);
  table().bury(*this);
}

void Http1Session::close() noexcept {
  if (state_ == State::kClosed) {
    return;
  }
  end_stream();
  state_ = State::kClosed;
  timer_.disarm();
  held_ = {};
  holding_ = false;
  connection_.reset();
  table().bury(*this);
}

size_t Http1Session::held_bytes() noexcept {
  return connection_ != nullptr ? connection_->queued_bytes() : 0;
}

uint64_t Http1Session::sent_bytes() const noexcept {
  return connection_ != nullptr ? connection_->bytes_sent() : 0;
}

void Http1Session::drain() noexcept {
  if (table().successor() != nullptr && connection_ != nullptr &&
      connection_->security() == nullptr) {
    moving_ = true;
    move_if_idle();
    return;
  }
  draining_ = true;
  if (state_ == State::kIdle && !table().patient()) {
    // A request may be on its way: a client that hears our FIN first would count it as failed.
    arm(kDrainGrace);
  }
}

// --- to another process -----------------------------------------------------------------------

/// Once nothing is in hand: the answers are the kernel's, and it has read nothing for us.
void Http1Session::move_if_idle() noexcept {
  if (moving_ && idle() && connection_->write_idle() && connection_->detach()) {
    move();
  }
}

void Http1Session::on_flushed() noexcept {
  move_if_idle();
}

void Http1Session::on_detached() noexcept {
  if (idle() && connection_->write_idle()) {
    move();
  } else {
    connection_->resume_reading();
  }
}

void Http1Session::move() noexcept {
  switch (table().successor()->take(connection_->fd(), listener(), peer_, requests_)) {
    case Successor::Answer::kTaken: close(); return;
    case Successor::Answer::kBusy:
      move_again_ = true;
      arm(kArrivedGrace);
      break;
    case Successor::Answer::kGone:
      moving_ = false;
      draining_ = true;
      break;
  }
  connection_->resume_reading();
}

// --- time -------------------------------------------------------------------------------------

void Http1Session::arm(Duration timeout) noexcept {
  if (timeout == Duration::zero()) {
    timer_.disarm();
  } else {
    timer_.arm(table().loop().timers(), timeout);
  }
}

/// While the response is due the exchange has its own timers; ours only watches that the client
/// takes what is sent.
void Http1Session::arm_for_response() noexcept {
  arm(listener().runtime->config->timeouts.write_idle);
}

void Http1Session::on_timeout() noexcept {
  switch (state_) {
    case State::kHead:
      reject_request(downstream_error(Errc::kTimeout, "the request head did not come in time"));
      break;
    case State::kBody:
      if (!body_paused_ && !connection_->splice_blocked()) {
        rejected_ = true;
        stream_->on_request_error(
            downstream_error(Errc::kTimeout, "the request body did not come in time"));
        break;
      }
      [[fallthrough]];
    case State::kResponse:
    case State::kTunnel:
      if (client_takes_nothing()) {
        stream_->on_client_gone();
        close();
      } else {
        arm_for_response();
      }
      break;
    case State::kIdle: on_idle_timeout(); break;
    case State::kDiscard: close_after_flush(); break;
    case State::kClosed: break;
  }
}

/// No request has come in time; the last answers may still be on their way.
void Http1Session::on_idle_timeout() noexcept {
  if (std::exchange(move_again_, false)) {
    arm(listener().runtime->config->timeouts.idle);
    move_if_idle();
  } else if (connection_->input_waiting()) {
    arm(kArrivedGrace);
  } else if (connection_->write_idle() || client_takes_nothing()) {
    close();
  } else if (draining_) {
    close_after_flush();
  } else {
    arm_for_response();
  }
}

/// Called every `write_idle`: whether bytes are queued and none has been acknowledged since.
bool Http1Session::client_takes_nothing() noexcept {
  if (connection_->write_idle()) {
    progress_ = 0;
    return false;
  }
  const uint64_t progress = connection_->send_progress();
  const bool stuck = progress_ != 0 && progress == progress_;
  progress_ = progress;
  return stuck;
}

}  // namespace hangu::downstream
