#include "hangu/filter/stream.h"

#include <utility>

#include "hangu/base/assert.h"
#include "hangu/base/unix_time.h"
#include "hangu/filter/bandwidth_limit_filter.h"
#include "hangu/http/date.h"
#include "hangu/http/grpc.h"
#include "hangu/http/local_reply.h"
#include "hangu/http/problem_page.h"
#include "hangu/stats/shard_stats.h"

namespace hangu::filter {

Stream::Stream(ShardContext& shard, ResponseWriter& writer, SnapshotRef snapshot,
               const ListenerRuntime& listener)
    : arena_(shard.small_blocks(), shard.large_blocks()),
      shard_(shard),
      writer_(writer),
      snapshot_(std::move(snapshot)),
      listener_(listener) {
  info.started = shard.now();
  info.wall_time = shard.wall_time();
  request.reset(arena_);
}

Stream::Stream(const StreamRecord& record, ResponseWriter& writer)
    : Stream(record.shard_, writer, record.snapshot_, record.listener_) {
  response.reset(arena_);
  record.restore(*this);
  route_ = record.route_;
  request_end_ = true;
  head_sent_ = true;
  started_ = true;
}

Stream::~Stream() {
  HANGU_DCHECK(finished_ || !started_);
}

// --- the request's way in ---------------------------------------------------------------------

void Stream::start(bool end) noexcept {
  request_end_ = end;
  begin();
  run_request_headers();
}

void Stream::reject(const Error& error) noexcept {
  request_end_ = true;
  begin();
  on_request_error(error);
}

void Stream::begin() noexcept {
  HANGU_ASSERT(!started_);
  started_ = true;
  info.request_received = shard_.now();
  info.grpc = http::is_grpc(request.headers);
  shard_.stats().requests.add();
  shard_.stats().requests_active.add();
}

const Filter* Stream::filter_at(size_t position, FilterList entry, FilterList own) const noexcept {
  if (position < entry.size()) {
    return entry[position];
  }
  position -= entry.size();
  return position < own.size() ? own[position] : nullptr;
}

Stream::FilterList Stream::own(FilterList (FilterChain::*list)() const) const noexcept {
  return route_ != nullptr ? (route_->chain.*list)() : FilterList{};
}

void Stream::run_request_headers() noexcept {
  const FilterList entry = snapshot_->entry.request_headers();
  // The route is chosen by a filter of the entry chain: look its chain up anew at every step.
  while (const Filter* filter =
             filter_at(request_position_, entry, own(&FilterChain::request_headers))) {
    ++request_position_;
    const FilterStatus status = filter->on_request_headers(*this);
    if (replied_ || finished_) {
      return;
    }
    if (status == FilterStatus::kPause) {
      if (collector_ != nullptr) {
        // The body goes on coming in.
        request_pause_ = static_cast<uint8_t>(request_pause_ | kFilter);
      } else {
        set_request_pause(kFilter, true);
      }
      return;
    }
  }
  forward_request();
}

void Stream::forward_request() noexcept {
  const uint64_t body_max = route_ != nullptr ? route_->config->body_bytes_max : 0;
  if (body_max != 0 && request.framing == http::BodyFraming::kLength &&
      request.content_length > body_max) {
    on_request_error(downstream_error(Errc::kBodyTooLarge, "request body over the route's limit"));
    return;
  }
  shard_.terminal().start(*this, request_complete());
  pass_collected();
}

bool Stream::count_request_bytes(size_t bytes) noexcept {
  info.request_body_bytes += bytes;
  const uint64_t body_max = route_ != nullptr ? route_->config->body_bytes_max : 0;
  if (body_max != 0 && info.request_body_bytes > body_max && !info.upgraded) {
    on_request_error(downstream_error(Errc::kBodyTooLarge, "request body over the route's limit"));
    return false;
  }
  return true;
}

void Stream::on_request_data(buffer::Slice&& data, bool end) noexcept {
  request_end_ = request_end_ || end;
  if (replied_ || finished_ || (response_end_ && !info.upgraded)) {
    return;  // nobody wants the rest of the body
  }
  if (!count_request_bytes(data.size)) {
    return;
  }
  if (info.upgraded) {
    send_request_data(std::move(data), end);
    return;  // the bytes of a tunnel are no body: filters do not see them
  }
  if (collector_ != nullptr) {
    collect(std::move(data), end);
    return;
  }
  request_data_position_ = 0;
  pass_request_data(std::move(data), end);
}

void Stream::pass_request_data(buffer::Slice&& data, bool end) noexcept {
  const FilterList entry = snapshot_->entry.request_data();
  while (const Filter* filter =
             filter_at(request_data_position_, entry, own(&FilterChain::request_data))) {
    ++request_data_position_;
    const FilterStatus status = filter->on_request_data(*this, data, end);
    if (replied_ || finished_) {
      return;
    }
    if (status == FilterStatus::kPause) {
      held_request_data_ = std::move(data);
      held_request_end_ = end;
      request_data_held_ = true;
      set_request_pause(kFilter, true);
      return;
    }
  }
  send_request_data(std::move(data), end);
}

/// To the sink, as fast as the route's bandwidth limits allow.
void Stream::send_request_data(buffer::Slice&& data, bool end) noexcept {
  if (sink_ == nullptr) {
    return;
  }
  if (pacing_ != nullptr && pacing_->limits(Direction::kRequest)) {
    const size_t passed = pacing_->pass(Direction::kRequest, data.size);
    if (passed < data.size) {
      if (passed != 0) {
        sink_->on_request_data(data.subslice(data.view().substr(0, passed)), false);
        data.remove_prefix(passed);
      }
      if (!replied_ && !finished_) {
        held_request_data_ = std::move(data);
        held_request_end_ = end;
        request_data_held_ = true;
        set_request_pause(kPace, true);
      }
      return;
    }
  }
  sink_->on_request_data(std::move(data), end);
}

/// What waited for its turn, or for the sink after that.
void Stream::send_held_request_data() noexcept {
  pass_collected();
  if (std::exchange(request_data_held_, false)) {
    send_request_data(std::move(held_request_data_), held_request_end_);
  }
}

net::Connection* Stream::request_target() const noexcept {
  const bool unseen =
      snapshot_->entry.request_data().empty() && own(&FilterChain::request_data).empty();
  const bool flowing = sink_ != nullptr && request_pause_ == 0 && !replied_ && !finished_;
  const bool paced = pacing_ != nullptr && pacing_->limits(Direction::kRequest);
  return unseen && flowing && !paced && !info.upgraded ? sink_->request_target() : nullptr;
}

void Stream::on_request_spliced(uint64_t bytes, bool end) noexcept {
  info.request_body_bytes += bytes;
  on_request_data(buffer::Slice{}, end);
}

void Stream::on_request_trailers(const http::HeaderBlock& trailers) noexcept {
  request_end_ = true;
  if (replied_ || finished_) {
    return;
  }
  if (collector_ != nullptr) {
    collect(buffer::Slice{}, true);
    return;
  }
  if (!end_request_data()) {
    return;
  }
  if (sink_ != nullptr) {
    sink_->on_request_trailers(trailers);
  }
}

/// Trailers follow: filters see the end of the body before them. False: one of them has replied.
bool Stream::end_request_data() noexcept {
  buffer::Slice rest;
  const auto show = [&](FilterList filters) {
    for (const Filter* filter : filters) {
      if (!replied_ && !finished_) {
        static_cast<void>(filter->on_request_data(*this, rest, true));
      }
    }
  };
  show(snapshot_->entry.request_data());
  show(own(&FilterChain::request_data));
  if (rest.size != 0 && !replied_ && !finished_ && sink_ != nullptr) {
    sink_->on_request_data(std::move(rest), false);
  }
  return !replied_ && !finished_;
}

void Stream::resume_request() noexcept {
  if ((request_pause_ & kFilter) == 0 || replied_ || finished_) {
    return;
  }
  if (request_data_held_) {
    request_data_held_ = false;
    request_pause_ = static_cast<uint8_t>(request_pause_ & ~kFilter);
    pass_request_data(std::move(held_request_data_), held_request_end_);
  } else {
    request_pause_ = static_cast<uint8_t>(request_pause_ & ~kFilter);
    run_request_headers();
  }
  if ((request_pause_ == 0 || collector_ != nullptr) && !finished_) {
    writer_.pause_request(*this, false);
  }
}

StreamHandle Stream::handle() noexcept {
  HANGU_DCHECK(!finished_);
  if (!handle_) {
    handle_ = shard_.handles().add(*this);
  }
  return handle_;
}

void Stream::set_request_wanted(bool wanted) noexcept {
  set_request_pause(kSink, !wanted);
}

void Stream::set_request_pause(PauseReason reason, bool paused) noexcept {
  const uint8_t before = request_pause_;
  request_pause_ = static_cast<uint8_t>(paused ? before | reason : before & ~reason);
  if (before != 0 && request_pause_ == 0) {
    send_held_request_data();
    if (request_pause_ != 0 || finished_) {
      return;  // paused as before
    }
  }
  if ((before == 0) != (request_pause_ == 0)) {
    writer_.pause_request(*this, request_pause_ != 0);
  }
}

void Stream::resume_paced(Direction direction) noexcept {
  if (direction == Direction::kResponse) {
    resume_response();
  } else if ((request_pause_ & kPace) != 0 && !replied_ && !finished_) {
    set_request_pause(kPace, false);
  }
}

void Stream::on_request_error(const Error& error) noexcept {
  if (finished_) {
    return;
  }
  info.error = error.code;
  if (head_sent_) {
    info.failure = StreamFailure::kClientClosed;
    cancel_sink();
    drop_response();
    writer_.abort(*this);
    return;
  }
  http::LocalReply reply = http::local_reply_for(error);
  reply.close = true;
  send_local_reply(reply, kGatewayOrigin);
}

void Stream::on_client_gone() noexcept {
  if (finished_) {
    return;
  }
  if (!response_end_) {
    info.failure = StreamFailure::kClientClosed;
    info.code = "client.closed";
    if (!head_sent_) {
      info.status = kStatusClientClosed;
    }
  }
  finish();
}

// --- the response's way out -------------------------------------------------------------------

void Stream::on_informational(const http::ResponseHead& head) noexcept {
  if (!head_sent_ && !replied_ && !finished_) {
    writer_.write_informational(*this, head);
  }
}

/// Whether so many bytes of the response's body are within the route's limit; else it breaks off.
bool Stream::response_fits(uint64_t bytes) noexcept {
  const uint64_t most = route_ != nullptr ? route_->config->response_body_bytes_max : 0;
  if (most == 0 || bytes <= most || info.upgraded) {
    return true;
  }
  fail(upstream_error(Errc::kBodyTooLarge, "response body over the route's limit"));
  return false;
}

void Stream::on_response_head(bool end) noexcept {
  HANGU_DCHECK(!head_sent_ && !replied_);
  const bool known = response.framing == http::BodyFraming::kLength && !end;
  if (known && !response_fits(response.content_length)) {
    return;
  }
  held_response_end_ = end;
  info.response_started = shard_.now();
  info.status = static_cast<uint16_t>(response.status);
  run_response_headers();
}

void Stream::run_response_headers() noexcept {
  const FilterList first = own(&FilterChain::response_headers);
  while (const Filter* filter =
             filter_at(response_position_, first, snapshot_->entry.response_headers())) {
    ++response_position_;
    const FilterStatus status = filter->on_response_headers(*this);
    if (replied_ || finished_) {
      return;
    }
    if (status == FilterStatus::kPause) {
      response_held_ = true;
      return;
    }
  }
  head_sent_ = true;
  response_end_ = held_response_end_;
  if (info.grpc && response_end_) {
    take_grpc_status(response.headers);
  }
  complete_response_fields();
  writer_.write_head(*this, response_end_);
}

void Stream::on_response_data(buffer::Slice&& data, bool end) noexcept {
  if (replied_ || finished_ || response_end_) {
    return;
  }
  if (!head_sent_) {
    // The head waits for a filter: keep one piece; response_congested() holds the sink back.
    hold_response_data(std::move(data), end);
    return;
  }
  response_data_position_ = 0;
  response_received_ += data.size;
  if (!response_fits(response_received_)) {
    return;
  }
  if (info.upgraded) {
    write_response_data(std::move(data), end);
  } else {
    pass_response_data(std::move(data), end);
  }
}

net::Connection* Stream::response_target() const noexcept {
  const size_t filters =
      snapshot_->entry.response_data().size() + own(&FilterChain::response_data).size();
  const bool unseen = filters == response_ignored_;
  const bool flowing = head_sent_ && !response_held_ && !replied_ && !finished_;
  const bool paced = pacing_ != nullptr && pacing_->limits(Direction::kResponse);
  return unseen && flowing && !paced && !info.upgraded ? writer_.response_target(*this) : nullptr;
}

void Stream::on_response_spliced(uint64_t bytes, bool end) noexcept {
  info.response_body_bytes += bytes;
  on_response_data(buffer::Slice{}, end);
}

/// The response breaks off: what waits for a filter does so no more.
void Stream::drop_response() noexcept {
  response_end_ = true;
  response_held_ = false;
  response_data_held_ = false;
  held_response_data_ = {};
}

void Stream::hold_response_data(buffer::Slice&& data, bool end) noexcept {
  HANGU_DCHECK(!response_data_held_);
  held_response_data_ = std::move(data);
  held_response_end_ = end;
  response_data_held_ = true;
  response_held_ = true;
}

void Stream::pass_response_data(buffer::Slice&& data, bool end) noexcept {
  const FilterList first = own(&FilterChain::response_data);
  while (const Filter* filter =
             filter_at(response_data_position_, first, snapshot_->entry.response_data())) {
    ++response_data_position_;
    const FilterStatus status = filter->on_response_data(*this, data, end);
    if (finished_ || response_end_) {
      return;
    }
    if (status == FilterStatus::kPause) {
      hold_response_data(std::move(data), end);
      return;
    }
  }
  write_response_data(std::move(data), end);
}

/// Trailers follow: what filters have kept of the body leaves before them.
void Stream::end_response_data() noexcept {
  buffer::Slice rest;
  const auto show = [&](FilterList filters) {
    for (const Filter* filter : filters) {
      static_cast<void>(filter->on_response_data(*this, rest, true));
    }
  };
  show(own(&FilterChain::response_data));
  show(snapshot_->entry.response_data());
  if (rest.size != 0 && !finished_) {
    write_response_data(std::move(rest), false);
  }
}

/// To the client, as fast as the route's bandwidth limits allow.
void Stream::write_response_data(buffer::Slice&& data, bool end) noexcept {
  if (data.size == 0 && !end) {
    return;  // a filter has kept it for later
  }
  if (pacing_ != nullptr && pacing_->limits(Direction::kResponse)) {
    const size_t passed = pacing_->pass(Direction::kResponse, data.size);
    if (passed < data.size) {
      if (passed != 0) {
        info.response_body_bytes += passed;
        writer_.write_data(*this, data.subslice(data.view().substr(0, passed)), false);
        data.remove_prefix(passed);
      }
      if (!finished_) {
        hold_response_data(std::move(data), end);
      }
      return;
    }
  }
  info.response_body_bytes += data.size;
  response_end_ = end;
  writer_.write_data(*this, std::move(data), end);
}

void Stream::on_response_trailers(const http::HeaderBlock& trailers) noexcept {
  if (replied_ || finished_) {
    return;
  }
  end_response_data();
  if (finished_) {
    return;
  }
  response_end_ = true;
  if (info.grpc) {
    take_grpc_status(trailers);
  }
  if (info.grpc_web != http::GrpcWeb::kNone) {
    write_grpc_web_trailers(trailers);
    return;
  }
  writer_.write_trailers(*this, trailers);
}

void Stream::write_grpc_web_trailers(const http::HeaderBlock& trailers) noexcept {
  const size_t size = http::grpc_web_trailers_bytes(trailers);
  char* const begin = arena_.allocate(size, 1);
  http::write_grpc_web_trailers(trailers, begin);
  std::string_view bytes(begin, size);
  if (info.grpc_web == http::GrpcWeb::kText) {
    char* const text = arena_.allocate(http::base64_bytes(size), 1);
    http::write_base64(bytes, text);
    bytes = {text, http::base64_bytes(size)};
  }
  write_response_data(arena_.slice_of(bytes), true);
}

buffer::BlockRef Stream::make_block(size_t bytes) noexcept {
  buffer::BlockPool& pool = shard_.large_blocks();
  buffer::BlockRef block = bytes <= pool.block_capacity() ? pool.acquire() : buffer::BlockRef{};
  return block ? block : buffer::BlockRef::on_heap(bytes);
}

void Stream::resume_response() noexcept {
  if (!response_held_ || replied_ || finished_) {
    return;
  }
  response_held_ = false;
  if (!head_sent_) {
    const bool end_after_head = !response_data_held_ && held_response_end_;
    const bool end_of_data = held_response_end_;
    held_response_end_ = end_after_head;
    run_response_headers();
    held_response_end_ = end_of_data;
  }
  if (head_sent_ && response_data_held_ && !response_held_) {
    response_data_held_ = false;
    if (info.upgraded) {
      write_response_data(std::move(held_response_data_), held_response_end_);
    } else {
      pass_response_data(std::move(held_response_data_), held_response_end_);
    }
  }
  if (!response_held_ && !response_end_ && !finished_) {
    on_response_writable();
  }
}

void Stream::resume_response(buffer::Slice&& data) noexcept {
  if (response_data_held_) {
    held_response_data_ = std::move(data);
    resume_response();
  }
}

void Stream::on_response_writable() noexcept {
  if (sink_ != nullptr && !response_congested()) {
    sink_->on_response_writable();
  }
}

void Stream::fail(const Error& error) noexcept {
  if (finished_ || response_end_) {
    return;
  }
  info.error = error.code;
  info.failure = error.code == Errc::kTimeout ? StreamFailure::kTimeout : StreamFailure::kUpstream;
  if (head_sent_) {
    cancel_sink();
    drop_response();
    writer_.abort(*this);
    return;
  }
  send_local_reply(http::local_reply_for(error), kGatewayOrigin);
}

void Stream::send_local_reply(const http::LocalReply& reply, std::string_view origin) noexcept {
  if (head_sent_ || replied_ || finished_) {
    return;
  }
  cancel_sink();
  drop_collected();
  replied_ = true;
  close_wanted_ = reply.close;
  head_sent_ = true;
  response_end_ = true;
  response_held_ = false;
  info.status = static_cast<uint16_t>(reply.status);
  info.code = reply.code;
  info.origin = origin;
  info.response_started = shard_.now();
  if (started_) {  // else it is a question of the gateway's own: nobody gets this
    shard_.stats().count_local_reply(reply.label.empty() ? reply.code : reply.label);
  }

  std::string_view body;
  const bool web = info.grpc_web != http::GrpcWeb::kNone;
  if (web || (info.grpc && request.version == http::Version::kHttp2)) {
    http::make_grpc_response(reply, arena_, response);
    if (web) {
      response.framing = http::BodyFraming::kLength;  // of 0: it may go over HTTP/1.1
      response.content_length = 0;
      static_cast<void>(
          response.headers.set(http::HeaderName::kContentType,
                               http::grpc_web_type_of("application/grpc", info.grpc_web, arena_)));
    }
    take_grpc_status(response.headers);
  } else {
    body = http::make_local_response(as_wanted(reply), info.request_id, arena_, response);
  }
  show_local_reply();
  complete_response_fields();
  const bool bodiless = request.method == http::Method::kHead || body.empty();
  writer_.write_head(*this, bodiless);
  if (!bodiless && !finished_) {
    info.response_body_bytes = body.size();
    writer_.write_data(*this, arena_.slice_of(body), true);
  }
}

/// A problem as a page for who reads pages; not what caches keep for all.
http::LocalReply Stream::as_wanted(const http::LocalReply& reply) noexcept {
  http::LocalReply wanted = reply;
  if (reply.content_type.empty() && !reply.cacheable && http::wants_page(request.headers)) {
    wanted.content_type = http::kPageType;
    wanted.body = http::render_problem_page(reply, info.request_id, arena_);
  }
  return wanted;
}

void Stream::note_shadow(std::string_view what) noexcept {
  constexpr char kComma = ',';
  std::string_view& all = info.shadow;
  for (std::string_view rest = all; !rest.empty();) {
    const size_t end = std::min(rest.find(kComma), rest.size());
    if (rest.substr(0, end) == what) {
      return;
    }
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  all = all.empty() ? what : arena_.concat({all, ",", what});
}

void Stream::show_local_reply() noexcept {
  for (const Filter* filter : own(&FilterChain::local_reply)) {
    filter->on_local_reply(*this);
  }
  for (const Filter* filter : snapshot_->entry.local_reply()) {
    filter->on_local_reply(*this);
  }
}

void Stream::take_grpc_status(const http::HeaderBlock& fields) noexcept {
  if (const auto status = http::grpc_status_of(fields)) {
    info.grpc_ended = true;
    info.grpc_status = static_cast<uint8_t>(*status);
  }
}

/// What every response of a gateway carries: its request's id, and a date (RFC 9110 §6.6.1).
void Stream::complete_response_fields() noexcept {
  http::HeaderBlock& headers = response.headers;
  if (!info.request_id.empty()) {
    static_cast<void>(headers.set(http::HeaderName::kXRequestId, info.request_id));
  }
  if (!headers.contains(http::HeaderName::kDate) && response.status != 101) {
    char* const text = arena_.allocate(http::kDateChars, 1);
    http::write_date(hangu::unix_seconds(shard_.wall_time()),
                     std::span<char, http::kDateChars>(text, http::kDateChars));
    static_cast<void>(headers.add(http::HeaderName::kDate, {text, http::kDateChars}));
  }
}

// --- the end ----------------------------------------------------------------------------------

void Stream::cancel_sink() noexcept {
  if (RequestSink* sink = std::exchange(sink_, nullptr)) {
    sink->cancel();
  }
}

void Stream::drop_handle() noexcept {
  if (handle_) {
    shard_.handles().remove(std::exchange(handle_, {}));
  }
}

void Stream::count_end() noexcept {
  shard_.stats().requests_active.subtract();
  if (info.grpc_ended) {
    shard_.stats().count_grpc(info.grpc_status);
  }
  const Duration took = shard_.now() - info.started;
  shard_.stats().count_end(info.status, took);
  if (route_ != nullptr) {
    route_->stats->slot(shard_.shard())
        .count(info.status, info.request_body_bytes, info.response_body_bytes, took);
  }
}

bool Stream::end_observed() const noexcept {
  return !snapshot_->entry.stream_end().empty() || !own(&FilterChain::stream_end).empty();
}

void Stream::finish() noexcept {
  if (finished_) {
    return;
  }
  cancel_sink();
  finished_ = true;
  drop_handle();
  drop_collected();
  if (!started_) {
    return;
  }
  count_end();
  for (const Filter* filter : snapshot_->entry.stream_end()) {
    filter->on_stream_end(*this);
  }
  for (const Filter* filter : own(&FilterChain::stream_end)) {
    filter->on_stream_end(*this);
  }
}

}  // namespace hangu::filter
