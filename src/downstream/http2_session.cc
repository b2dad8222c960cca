#include "hangu/downstream/http2_session.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "hangu/codec/http2/head_encoder.h"
#include "hangu/downstream/session_table.h"
#include "hangu/http/websocket.h"
#include "hangu/stats/shard_stats.h"

namespace hangu::downstream {

using codec::http2::ErrorCode;
using codec::http2::FieldSection;
using codec::http2::StreamSlot;

namespace {

// A peer that does not acknowledge our settings for so long will not do it any more (§6.5.3).
constexpr Duration kSettingsTimeout = std::chrono::seconds(10);

// How often the streams of a busy connection are looked at, at most and at least.
constexpr Duration kTickMax = std::chrono::seconds(1);
constexpr Duration kTickMin = std::chrono::milliseconds(10);

constexpr std::string_view kDrainPing = "draining";

codec::http2::MultiplexerOptions options_of(const SessionTable& table,
                                            const ListenerContext& listener) {
  const config::Http2Options& http2 = listener.runtime->config->http2;
  return {.role = codec::http2::FrameReader::Role::kServer,
          .concurrent_streams = http2.streams_max,
          .stream_window = http2.stream_window_bytes,
          .connection_window = http2.connection_window_bytes,
          .continuations = http2.continuations_max,
          .fields = listener.field_limits,
          .budget = {.burst = http2.frame_budget, .per_second = http2.frame_budget_per_second},
          .stream_high_watermark = static_cast<uint32_t>(table.write_high_watermark()),
          .stream_low_watermark = static_cast<uint32_t>(table.write_low_watermark())};
}

Http2Stream& stream_of(StreamSlot& slot) {
  return static_cast<Http2Stream&>(slot);
}

}  // namespace

// --- a stream ---------------------------------------------------------------------------------

Http2Stream::Http2Stream(Http2Session& session, buffer::ObjectPool<filter::Stream>::Ptr stream)
    : StreamSlot(session.table().shard().small_blocks()),
      session_(session),
      stream_(std::move(stream)),
      held_(session.table().shard().small_blocks()) {
  last_input_ = last_output_ = session.table().loop().now();
}

Http2Stream::~Http2Stream() = default;

void Http2Stream::touch() noexcept {
  last_input_ = session_.table().loop().now();
}

void Http2Stream::receive(buffer::Slice&& data, bool end) noexcept {
  touch();
  if (paused_ || !held_.empty() || delivering_) {
    held_.append(std::move(data));
    held_end_ = held_end_ || end;
    return;
  }
  const uint32_t size = data.size;
  stream_->on_request_data(std::move(data), end);
  if (!closed_) {
    session_.multiplexer_.consume(*this, size);
  }
}

void Http2Stream::deliver_held() noexcept {
  if (std::exchange(delivering_, true)) {
    return;
  }
  while (!paused_ && !closed_ && (!held_.empty() || held_end_)) {
    if (held_.empty() && !trailers_.empty()) {
      held_end_ = false;
      stream_->on_request_trailers(trailers_);
      break;
    }
    buffer::Slice piece = held_.empty() ? buffer::Slice{} : held_.take_front(held_.bytes());
    const uint32_t size = piece.size;
    const bool end = held_.empty() && trailers_.empty() && std::exchange(held_end_, false);
    stream_->on_request_data(std::move(piece), end);
    if (!closed_) {
      session_.multiplexer_.consume(*this, size);
    }
  }
  delivering_ = false;
}

void Http2Stream::write_informational(filter::Stream& stream,
                                      const http::ResponseHead& head) noexcept {
  if (!closed_) {
    session_.multiplexer_.send_head(
        *this,
        codec::http2::encode_response_head(session_.multiplexer_.encoder(), head, head.status,
                                           stream.arena()),
        false);
  }
}

void Http2Stream::write_head(filter::Stream& stream, bool end) noexcept {
  if (closed_) {
    return;
  }
  http::ResponseHead& response = stream.response;
  int status = response.status;
  if (status == 101) {  // RFC 8441 §5: a tunnel begins with 200
    status = 200;
    tunnel_ = true;
    ++session_.tunnels_;
    response.headers.remove("sec-websocket-accept");
    session_.table().shard().stats().upgrades_active.add();
  } else if (connect_ && status < 300) {
    // The upstream has answered, and not switched: to this client 2xx would be a tunnel.
    status = 501;
  }
  session_.multiplexer_.send_head(
      *this,
      codec::http2::encode_response_head(session_.multiplexer_.encoder(), response, status,
                                         stream.arena()),
      end);
  if (tunnel_) {
    paused_ = false;
    deliver_held();
  }
}

void Http2Stream::write_data(filter::Stream&, buffer::Slice&& data, bool end) noexcept {
  if (closed_) {
    return;
  }
  if (said_goodbye_) {
    data = buffer::Slice{};
  } else if (goodbye_ != 0) {
    data.size = static_cast<uint32_t>(frames_.pass_to_end(data.view()));
  } else if (tunnel_) {
    frames_.pass(data.view());
  }
  if (queued_bytes() == 0) {
    last_output_ = session_.table().loop().now();
  }
  session_.multiplexer_.send_data(*this, std::move(data), end);
  if (goodbye_ != 0 && !said_goodbye_ && !end) {
    close_between_frames();
  }
}

void Http2Stream::say_goodbye(uint16_t code) noexcept {
  goodbye_ = code;
  --session_.tunnels_;
  close_between_frames();
}

/// The upstream hears what the client says to that, and ends the stream.
void Http2Stream::close_between_frames() noexcept {
  if (closed_ || !frames_.between()) {
    return;
  }
  const http::CloseFrame frame = http::close_frame(goodbye_);
  const std::string_view bytes = stream_->arena().copy({frame.data(), frame.size()});
  said_goodbye_ = true;
  session_.multiplexer_.send_data(*this, stream_->arena().slice_of(bytes), false);
}

void Http2Stream::write_trailers(filter::Stream& stream,
                                 const http::HeaderBlock& trailers) noexcept {
  if (closed_) {
    return;
  }
  // The upstream's block goes with its connection; the bytes are the stream's.
  response_trailers_.reset(stream.arena());
  for (const http::Header& header : trailers) {
    static_cast<void>(response_trailers_.append(header));
  }
  session_.multiplexer_.send_trailers(*this, response_trailers_, stream.arena());
}

void Http2Stream::abort(filter::Stream&) noexcept {
  if (!closed_) {
    session_.multiplexer_.reset(*this, ErrorCode::kInternalError);
  }
}

void Http2Stream::pause_request(filter::Stream&, bool paused) noexcept {
  paused_ = paused || (connect_ && !tunnel_);
  if (!paused_) {
    touch();
    deliver_held();
  }
}

bool Http2Stream::congested(const filter::Stream&) const noexcept {
  return !closed_ && session_.multiplexer_.congested(*this);
}

net::Connection* Http2Stream::response_target(const filter::Stream&) noexcept {
  return nullptr;  // every byte goes into a frame
}

// --- the connection ---------------------------------------------------------------------------

Http2Session::Http2Session(SessionTable& table, ListenerContext& listener,
                           net::ConnectionPtr connection, const Peer& peer)
    : Session(table, listener),
      connection_(std::move(connection)),
      multiplexer_(options_of(table, listener), *this),
      timer_(*this),
      peer_(peer) {
  connection_->set_handler(this);
  started_ = idle_since_ = output_checked_ = table.loop().now();
  table.shard().stats().http2_connections.add();
}

Http2Session::~Http2Session() = default;

void Http2Session::begin(buffer::Slice&& seen, buffer::Slice&& data) noexcept {
  multiplexer_.begin();
  arm();
  connection_->resume_reading();
  for (buffer::Slice* piece : {&seen, &data}) {
    if (piece->size != 0 && !closed_) {
      on_data(std::move(*piece));
    }
  }
}

void Http2Session::on_data(buffer::Slice data) noexcept {
  if (closed_) {
    return;
  }
  const bool in_section = multiplexer_.in_section();
  receiving_ = true;
  const auto received = multiplexer_.receive(std::move(data), table().loop().now());
  receiving_ = false;
  if (closed_) {
    return;
  }
  if (!received) {
    table().shard().stats().count_http2_close(received.error().detail);
    end_streams();
    close_after_flush();
    return;
  }
  if (multiplexer_.in_section() && !in_section) {
    section_since_ = table().loop().now();
  }
  // A peer that asks for more than it takes (PING, SETTINGS, resets) has to wait for itself.
  if (connection_->queued_bytes() > 2 * table().write_high_watermark()) {
    reading_paused_ = true;
    connection_->pause_reading();
  }
  end_if_done();
}

void Http2Session::write(buffer::Slice&& bytes) noexcept {
  if (!closed_) {
    connection_->write(std::move(bytes));
  }
}

void Http2Session::write_copy(std::string_view bytes) noexcept {
  if (!closed_) {
    connection_->write_copy(bytes);
  }
}

bool Http2Session::output_congested() const noexcept {
  return closed_ || connection_->congested();
}

void Http2Session::on_writable() noexcept {
  if (closed_) {
    return;
  }
  if (std::exchange(reading_paused_, false)) {
    connection_->resume_reading();
  }
  multiplexer_.pump();
}

// --- requests ---------------------------------------------------------------------------------

/// Trust may change with the config while the connection lives.
void Http2Session::follow_config() noexcept {
  if (trust_from_ != listener().runtime) {
    trust_from_ = listener().runtime;
    peer_.set_trusted(trust_from_->trusted_proxies.contains(peer_.ip()));
  }
}

filter::PeerView Http2Session::peer_view() const noexcept {
  return {.ip = peer_.ip(),
          .port = peer_.port(),
          .source = peer_.source(),
          .trusted = peer_.trusted(),
          .tls = tls_view(connection_->security())};
}

size_t Http2Session::bounded(size_t bytes) const noexcept {
  return table().loop().bounded(bytes);
}

size_t Http2Session::held_bytes() noexcept {
  size_t bytes = connection_ != nullptr ? connection_->queued_bytes() : 0;
  multiplexer_.for_each_stream([&](Slot& slot) { bytes += slot.queued_bytes(); });
  return bytes;
}

uint64_t Http2Session::sent_bytes() const noexcept {
  return connection_ != nullptr ? connection_->bytes_sent() : 0;
}

StreamSlot* Http2Session::on_open(uint32_t) noexcept {
  if (closed_) {
    return nullptr;
  }
  follow_config();
  SessionTable& sessions = table();
  Http2Stream* stream = sessions.http2_streams()
                            .make(*this, buffer::ObjectPool<filter::Stream>::Ptr{})
                            .release();  // the multiplexer's until on_closed()
  filter::ResponseWriter& writer = *stream;
  stream->stream_ =
      sessions.streams().make(sessions.shard(), writer, listener().snapshot, *listener().runtime);
  if (multiplexer_.streams() == 0) {
    arm();
  }
  return stream;
}

void Http2Session::on_section(Slot& slot, bool trailers, FieldSection& section) noexcept {
  Http2Stream& stream = stream_of(slot);
  filter::Stream& exchange = *stream.stream_;
  if (trailers) {
    stream.trailers_.reset(exchange.arena());
    section.begin(FieldSection::Kind::kTrailers, stream.trailers_, exchange.arena(),
                  listener().field_limits);
  } else {
    section.begin(FieldSection::Kind::kRequest, exchange.request.headers, exchange.arena(),
                  listener().field_limits);
  }
}

bool Http2Session::on_head(Slot& slot, FieldSection& section, bool end) noexcept {
  Http2Stream& stream = stream_of(slot);
  filter::Stream& exchange = *stream.stream_;
  ++requests_;
  stream.touch();
  const Result<void> parsed = section.finish_request(exchange.request, end);
  const uint64_t requests_max = listener().runtime->config->requests_per_connection_max;
  if (!parsed) {
    reject(stream, parsed.error());
  } else {
    start(stream, end);
  }
  if (requests_max != 0 && requests_ >= requests_max) {
    drain();
  }
  return true;
}

void Http2Session::start(Http2Stream& stream, bool end) noexcept {
  filter::Stream& exchange = *stream.stream_;
  const http::RequestHead& request = exchange.request;
  if (const http::Header* priority = request.headers.find("priority")) {
    multiplexer_.set_priority(stream, codec::http2::parse_priority(priority->value()));
  }
  if (request.framing == http::BodyFraming::kLength) {
    multiplexer_.expect_body(stream, request.content_length);
  }
  stream.connect_ = request.upgrade;
  stream.paused_ = stream.connect_;
  if (stream.connect_ && !complete_upgrade(exchange)) {
    reject(stream, downstream_error(Errc::kHeadersTooLarge, "too many header fields"));
    return;
  }
  if (const Result<void> admitted = filter::apply_edge_rules(exchange, peer_view()); !admitted) {
    reject(stream, admitted.error());
    return;
  }
  exchange.start(end || stream.connect_);
}

/// What the handshake of RFC 6455 has and that of RFC 8441 has not.
bool Http2Session::complete_upgrade(filter::Stream& stream) noexcept {
  filter::ShardContext& shard = table().shard();
  std::array<uint8_t, 16> random;
  for (size_t i = 0; i < random.size(); i += sizeof(uint64_t)) {
    const auto word = std::bit_cast<std::array<uint8_t, sizeof(uint64_t)>>(shard.random());
    std::copy(word.begin(), word.end(), random.begin() + i);
  }
  char* const key = stream.arena().allocate(http::kWebsocketKeyChars, 1);
  http::write_websocket_key(
      random, std::span<char, http::kWebsocketKeyChars>(key, http::kWebsocketKeyChars));
  return stream.request.headers.set("sec-websocket-key", {key, http::kWebsocketKeyChars});
}

/// One reply in place of the upstream's; the connection goes on.
void Http2Session::reject(Http2Stream& stream, const Error& error) noexcept {
  table().shard().stats().count_parse_error(error.code);
  if (stream.stream_->info.request_id.empty()) {
    filter::identify_rejected(*stream.stream_, peer_view());
  }
  stream.stream_->reject(error);
}

void Http2Session::on_data(Slot& slot, buffer::Slice&& data, bool end) noexcept {
  stream_of(slot).receive(std::move(data), end);
}

void Http2Session::on_trailers(Slot& slot, FieldSection& section) noexcept {
  Http2Stream& stream = stream_of(slot);
  const Result<void> parsed = section.finish_trailers();
  if (!parsed) {
    table().shard().stats().count_parse_error(parsed.error().code);
    stream.stream_->on_request_error(parsed.error());
  } else if (stream.trailers_.empty()) {
    stream.receive(buffer::Slice{}, true);
  } else {
    stream.held_end_ = true;
    stream.deliver_held();
  }
}

// --- ends of streams --------------------------------------------------------------------------

void Http2Session::on_writable(Slot& slot) noexcept {
  stream_of(slot).stream_->on_response_writable();
}

/// The response is complete, the request is not: nobody will read the rest (§8.1).
void Http2Session::on_sent(Slot& slot) noexcept {
  if (!stream_of(slot).tunnel_) {
    multiplexer_.reset(slot, ErrorCode::kNoError);
  }
}

void Http2Session::on_reset(Slot& slot, ErrorCode, bool by_peer) noexcept {
  stats::ShardStats& stats = table().shard().stats();
  (by_peer ? stats.http2_resets_received : stats.http2_resets_sent).add();
  stream_of(slot).stream_->on_client_gone();
}

void Http2Session::on_closed(Slot& slot) noexcept {
  Http2Stream& stream = stream_of(slot);
  stream.closed_ = true;
  if (stream.tunnel_) {
    table().shard().stats().upgrades_active.subtract();
    tunnels_ -= stream.goodbye_ == 0 ? 1 : 0;
  }
  stream.stream_->finish();
  table().bury(stream);
  if (multiplexer_.streams() == 0) {
    idle_since_ = table().loop().now();
    if (!receiving_) {
      end_if_done();
    }
  }
}

// --- time -------------------------------------------------------------------------------------

void Http2Session::arm() noexcept {
  const config::Listener& config = *listener().runtime->config;
  const config::ClientTimeouts& timeouts = config.timeouts;
  const bool idle = multiplexer_.streams() == 0 && settings_acknowledged_ && !draining_ &&
                    !multiplexer_.in_section() && connection_->write_idle();
  if (idle) {
    timer_.arm(table().loop().timers(), config.http2.idle_timeout);
    return;
  }
  const Duration shortest =
      std::min({timeouts.header, timeouts.body_idle, timeouts.write_idle, kTickMax * 4});
  timer_.arm(table().loop().timers(), std::max(shortest / 4, kTickMin));
}

void Http2Session::on_timeout() noexcept {
  check_connection();
  if (closed_) {
    return;
  }
  multiplexer_.for_each_stream([this](Slot& slot) { check_stream(stream_of(slot)); });
  end_if_done();
  if (!closed_) {
    arm();
  }
}

void Http2Session::check_connection() noexcept {
  const TimePoint now = table().loop().now();
  const config::Listener& config = *listener().runtime->config;
  if (!settings_received_ && now - started_ > config.timeouts.header) {
    fail(ErrorCode::kProtocolError, "no preface in time");
  } else if (!settings_acknowledged_ && now - started_ > kSettingsTimeout) {
    fail(ErrorCode::kSettingsTimeout, "settings not acknowledged in time");
  } else if (multiplexer_.in_section() && now - section_since_ > config.timeouts.header) {
    fail(ErrorCode::kEnhanceYourCalm, "request head not in time");
  } else if (now - output_checked_ > config.timeouts.write_idle && connection_takes_nothing()) {
    table().shard().stats().count_http2_close("client takes nothing");
    close();
  } else if (draining_ && !goaway_final_ && now - drain_since_ > kDrainGrace) {
    finish_drain();
  } else if (multiplexer_.streams() == 0 && now - idle_since_ >= config.http2.idle_timeout &&
             !connection_->input_waiting()) {
    fail(ErrorCode::kNoError, "idle");
  }
}

void Http2Session::check_stream(Http2Stream& stream) noexcept {
  const TimePoint now = table().loop().now();
  const config::ClientTimeouts& timeouts = listener().runtime->config->timeouts;
  if (stream.sent_bytes() != stream.sent_before_ || stream.queued_bytes() == 0) {
    stream.sent_before_ = stream.sent_bytes();
    stream.last_output_ = now;
  } else if (now - stream.last_output_ > timeouts.write_idle) {
    table().shard().stats().count_http2_close("stream not taken in time");
    stream.stream_->on_client_gone();
    multiplexer_.reset(stream, ErrorCode::kCancel);
    return;
  }
  if (!stream.remote_ended() && !stream.paused_ && !stream.tunnel_ &&
      now - stream.last_input_ > timeouts.body_idle) {
    stream.stream_->on_request_error(
        downstream_error(Errc::kTimeout, "the request body did not come in time"));
  }
}

/// Called every `write_idle`: whether bytes are queued and none has been acknowledged since.
bool Http2Session::connection_takes_nothing() noexcept {
  output_checked_ = table().loop().now();
  if (connection_->write_idle()) {
    output_progress_ = 0;
    return false;
  }
  const uint64_t progress = connection_->send_progress();
  const bool stuck = output_progress_ != 0 && progress == output_progress_;
  output_progress_ = progress;
  return stuck;
}

void Http2Session::on_settings(bool ack) noexcept {
  settings_received_ = true;
  settings_acknowledged_ = settings_acknowledged_ || ack;
}

// --- the end ----------------------------------------------------------------------------------

/// §6.8: first the announcement, then, after the requests that crossed with it, the last word.
void Http2Session::drain() noexcept {
  if (draining_ || closed_) {
    return;
  }
  draining_ = true;
  drain_since_ = table().loop().now();
  multiplexer_.send_goaway(codec::http2::kStreamIdMax, ErrorCode::kNoError);
  multiplexer_.send_ping(kDrainPing);
  arm();
}

bool Http2Session::say_goodbye(uint16_t code) noexcept {
  const bool any = tunnels_ != 0;
  multiplexer_.for_each_stream([code, this](Slot& slot) {
    if (Http2Stream& stream = stream_of(slot); !closed_ && stream.awaits_goodbye()) {
      stream.say_goodbye(code);
    }
  });
  return any;
}

void Http2Session::on_ping_ack(std::string_view opaque) noexcept {
  if (opaque == kDrainPing && draining_ && !goaway_final_) {
    finish_drain();
  }
}

void Http2Session::finish_drain() noexcept {
  goaway_final_ = true;
  multiplexer_.send_goaway(multiplexer_.last_peer_stream(), ErrorCode::kNoError);
}

void Http2Session::end_if_done() noexcept {
  if (!closed_ && goaway_final_ && multiplexer_.streams() == 0) {
    close_after_flush();
  }
}

void Http2Session::fail(ErrorCode code, const char* reason) noexcept {
  table().shard().stats().count_http2_close(reason);
  multiplexer_.send_goaway(multiplexer_.last_peer_stream(), code);
  end_streams();
  close_after_flush();
}

void Http2Session::end_streams() noexcept {
  multiplexer_.for_each_stream([this](Slot& slot) {
    stream_of(slot).stream_->on_client_gone();
    multiplexer_.reset(slot, ErrorCode::kCancel);
  });
}

void Http2Session::on_end() noexcept {
  close();
}

void Http2Session::on_error(Error) noexcept {
  close();
}

void Http2Session::close_after_flush() noexcept {
  if (!std::exchange(closed_, true)) {
    timer_.disarm();
    connection_->set_handler(nullptr);
    net::close_after_flush(std::move(connection_), true);
    end_streams();
    table().bury(*this);
  }
}

void Http2Session::close() noexcept {
  if (!std::exchange(closed_, true)) {
    timer_.disarm();
    end_streams();
    connection_.reset();
    table().bury(*this);
  }
}

}  // namespace hangu::downstream
