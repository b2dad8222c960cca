#include "proxy/exchange.h"

#include <algorithm>
#include <utility>

#include "hangu/http/grpc.h"
#include "hangu/proxy/proxy.h"
#include "hangu/stats/shard_stats.h"
#include "hangu/upstream/heads.h"

#include "proxy/hedge.h"
#include "proxy/statuses.h"
#include "proxy/tunnel.h"

namespace hangu::proxy {
namespace {

using Outcome = policy::CircuitBreaker::Outcome;

/// Nobody was asked: that says nothing of the upstream.
bool is_own(Errc code) {
  return code == Errc::kNoEndpoint || code == Errc::kOverflow || code == Errc::kQueueTimeout;
}

constexpr int kServerErrors = 500;

/// Whether the server did its part: what is wrong with a call may be the caller's doing.
bool is_success(http::GrpcStatus status) {
  using enum http::GrpcStatus;
  switch (status) {
    case kDeadlineExceeded:
    case kResourceExhausted:
    case kAborted:
    case kInternal:
    case kUnavailable:
    case kDataLoss: return false;
    default: return true;
  }
}

}  // namespace

Exchange::Exchange(Proxy& proxy, filter::Stream& stream, upstream::Cluster& cluster,
                   const Entry& entry)
    : proxy_(proxy),
      stream_(&stream),
      cluster_(cluster),
      timer_(*this),
      try_timer_(*this),
      tickets_(entry.tickets),
      admission_(entry.admission),
      success_due_(cluster.controls_admission()) {}

void Exchange::start(bool request_end) noexcept {
  request_end_ = request_end;
  has_body_ = !request_end;
  upgrade_ = stream_->request.upgrade && stream_->route()->config->upgrades;
  stats::UpstreamStats::Slot& stats = cluster_.stats();
  stats.requests.add();
  stats.active.add();
  if (stream_->info.grpc || stream_->route()->config->deadline.accept) {
    find_deadline();
  }
  wait_for(request_end ? Waiting::kResponse : Waiting::kProgress);
  if (has_body_) {
    keep_body_if_useful();
    stream_->set_request_wanted(false);
  }
  if (cluster_.config().hedging.enabled) {
    consider_hedging();
  }
  if (cluster_.limits_requests()) {
    enter();
  } else {
    attempt(false);
  }
}

void Exchange::attempt(bool fresh) noexcept {
  endpoint_ = cluster_.pick(tried(), *stream_);
  if (endpoint_ == nullptr) {
    fail(upstream_error(Errc::kNoEndpoint, "the upstream has no endpoint"));
    return;
  }
  endpoint_->request_began();
  at_endpoint_ = true;
  ++attempts_;
  ++stream_->info.upstream_attempts;
  // A copy: the endpoint may leave the config before the stream ends.
  stream_->info.upstream_address = stream_->arena().copy(endpoint_->address_text());
  arm_try_timer();
  if (upstream::ClientStream* ready = endpoint_->take_ready(!fresh)) {
    cluster_.stats().reuses.add();
    send(*ready);
    return;
  }
  const upstream::Cluster::Pending pending = cluster_.begin_pending();
  if (pending == upstream::Cluster::Pending::kNo) {
    fail(upstream_error(Errc::kOverflow, "too many requests wait for a connection"));
    return;
  }
  if (pending == upstream::Cluster::Pending::kOver || endpoint_->over_connections()) {
    stream_->note_shadow(kUpstreamLimits);
  }
  pending_ = true;
  endpoint_->open(*this);
}

void Exchange::end_pending() noexcept {
  upstream::ConnectHandler::unlink();
  if (std::exchange(pending_, false)) {
    cluster_.end_pending();
  }
}

void Exchange::leave_endpoint() noexcept {
  if (std::exchange(at_endpoint_, false)) {
    endpoint_->request_ended();
  }
}

void Exchange::on_connect(upstream::ClientStream* stream, const Error& error) noexcept {
  end_pending();
  if (stream != nullptr) {
    send(*stream);
  } else {
    on_failure(error);
  }
}

upstream::OutgoingRequest Exchange::outgoing_request(const upstream::Endpoint& endpoint) noexcept {
  if (!std::exchange(head_prepared_, true)) {
    upstream::prepare_request_head(*stream_, upgrade_);
  }
  if (deadline_ != TimePoint{} || stream_->route()->config->deadline.forward) {
    forward_deadline();
  }
  return upstream::outgoing_request(*stream_, endpoint);
}

void Exchange::send(upstream::ClientStream& place) noexcept {
  connection_ = &place;
  sent_ = proxy_.loop().now();
  stream_->info.upstream_reused = place.requests_before() != 0;
  upstream::OutgoingRequest request = outgoing_request(*endpoint_);
  request.has_body = has_body_;
  request.upgrade = upgrade_;
  request.handler = this;
  place.send_request(request);
  if (has_body_ && connection_ == &place) {
    send_kept_body(place);
  }
}

// --- the request body -------------------------------------------------------------------------

void Exchange::on_request_data(buffer::Slice&& data, bool end) noexcept {
  if (connection_ == nullptr) {
    return;
  }
  touch();
  kept_body_.keep(data, stream_->arena(), stream_->shard().large_blocks());
  connection_->send_data(std::move(data), end);
  if (end) {
    request_ended();
  } else if (connection_->congested()) {
    stream_->set_request_wanted(false);
  }
}

void Exchange::on_request_trailers(const http::HeaderBlock& trailers) noexcept {
  if (connection_ != nullptr) {
    kept_body_.give_up();  // trailers are not kept
    connection_->send_trailers(trailers);
    request_ended();
  }
}

net::Connection* Exchange::request_target() noexcept {
  // What is spliced has not been seen here: only a body that is not kept may go so.
  return kept_body_.lost() && connection_ != nullptr ? connection_->request_target() : nullptr;
}

void Exchange::request_ended() noexcept {
  request_end_ = true;
  if (waiting_ == Waiting::kTunnel) {
    tunnel_request_end_ = true;
    connection_->end_tunnel();
    end_tunnel_if_done();
  } else if (!stream_->head_sent()) {
    wait_for(Waiting::kResponse);
    arm_try_timer();
  }
}

void Exchange::on_request_writable() noexcept {
  if (!request_end_ || waiting_ == Waiting::kTunnel) {
    stream_->set_request_wanted(true);
  }
}

// --- the response -----------------------------------------------------------------------------

void Exchange::on_informational(const http::ResponseHead& head) noexcept {
  stream_->on_informational(head);
}

void Exchange::on_response_head(bool end) noexcept {
  stats::UpstreamStats::Slot& stats = cluster_.stats();
  stats.count_response(stream_->response.status, proxy_.loop().now() - sent_);
  const int status = stream_->response.status;
  if (retry_instead(status, end)) {
    return;
  }
  if (hedge_racing()) {
    hedge_->stop();
  }
  try_timer_.disarm();
  kept_body_.give_up();
  leave_limit(proxy_.loop().now() - sent_);
  report_success_of(status, end);
  const upstream::Cluster::Answer judged = answer();
  report_answer(*stream_, cluster_, tickets_, judged);
  tell_answer(judged);
  upstream::prepare_response_head(*stream_);
  cluster_.lead_back(*stream_, *endpoint_);
  if (stream_->response.status == 101) {
    stream_->info.upgraded = true;
    request_end_ = false;
    wait_for(Waiting::kTunnel);
    proxy_.join_later(*this);
    stream_->on_response_head(false);
    return;
  }
  if (end) {
    filter::Stream& stream = detach();
    stream.on_response_head(true);
    return;
  }
  wait_for(Waiting::kProgress);
  stream_->on_response_head(false);
}

/// What breakers and ejection judge by.
upstream::Cluster::Answer Exchange::answer() const noexcept {
  return {.status = judged_status(*stream_, stream_->response),
          .upgrade = upgrade_,
          .latency = proxy_.loop().now() - sent_};
}

/// To whom judges the endpoint.
void Exchange::tell_answer(const upstream::Cluster::Answer& answer) noexcept {
  cluster_.answered(*endpoint_, answer, stream_->shard().random());
}

void Exchange::on_response_data(buffer::Slice&& data, bool end) noexcept {
  if (end) {
    filter::Stream& stream = detach();
    stream.on_response_data(std::move(data), true);
    return;
  }
  touch();
  if (stream_->info.upgraded) {
    frames_.pass(data.view());  // before it is a tunnel: where a frame begins is not to be lost
  }
  stream_->on_response_data(std::move(data), false);
}

net::Connection* Exchange::response_target() noexcept {
  return stream_->response_target();
}

void Exchange::on_response_spliced(uint64_t bytes, bool end) noexcept {
  if (end) {
    filter::Stream& stream = detach();
    stream.on_response_spliced(bytes, true);
    return;
  }
  touch();
  stream_->on_response_spliced(bytes, false);
}

void Exchange::on_response_trailers(const http::HeaderBlock& trailers) noexcept {
  if (const auto status = success_due_ ? http::grpc_status_of(trailers) : std::nullopt) {
    report_success(is_success(*status));
  }
  filter::Stream& stream = detach();
  stream.on_response_trailers(trailers);
}

void Exchange::on_response_writable() noexcept {
  if (connection_ != nullptr) {
    touch();
    connection_->resume_response();
  }
  if (waiting_ == Waiting::kTunnel && stream_ != nullptr) {
    proxy_.join_later(*this);  // a filter may have held its head back until now
  }
}

bool Exchange::response_congested() const noexcept {
  return stream_->response_congested();
}

void Exchange::on_tunnel_end() noexcept {
  tunnel_response_end_ = true;
  filter::Stream& stream = *stream_;
  end_tunnel_if_done();
  stream.on_response_data(buffer::Slice{}, true);
}

void Exchange::end_tunnel_if_done() noexcept {
  if (tunnel_request_end_ && tunnel_response_end_) {
    upstream::ClientStream* connection = connection_;
    detach();
    connection->finish_tunnel();
  }
}

void Exchange::become_tunnel() noexcept {
  if (!stream_->head_sent() || stream_->pacing() != nullptr || tunnel_request_end_ ||
      tunnel_response_end_ || !connection_->releasable()) {
    return;
  }
  net::RelayEnd client;
  filter::TunnelOwner* owner = stream_->release_client(client);
  if (owner == nullptr) {
    return;
  }
  const Tunnel::Origin origin{cluster_, *endpoint_, std::exchange(has_slot_, false), frames_};
  auto made = std::make_unique<Tunnel>(proxy_, origin, *stream_, *owner);
  Tunnel& tunnel = *made;
  owner->take(std::move(made));
  net::RelayEnd server;
  connection_->release(server);
  at_endpoint_ = false;  // the tunnel is
  retire();
  tunnel.begin(std::move(client), std::move(server));
}

// --- failures ---------------------------------------------------------------------------------

void Exchange::fail(const Error& error) noexcept {
  cluster_.stats().failures.add();
  count_once_more();
  report(is_own(error.code) ? Outcome::kUnknown : Outcome::kOwnFailure);
  if (!is_own(error.code)) {
    report_success(false);
  }
  filter::Stream& stream = detach();
  stream.fail(error);
}

void Exchange::on_timeout() noexcept {
  proxy_.timeouts().add();
  const bool deadline = deadline_ != TimePoint{} && proxy_.loop().now() >= deadline_;
  const char* detail = deadline                         ? "the call's deadline has passed"
                       : waiting_ == Waiting::kResponse ? "no response from the upstream in time"
                                                        : "no byte in either direction in time";
  upstream::ClientStream* connection = connection_;
  // As long as the request is not complete it may be the client who is slow.
  const bool theirs = request_end_ && !deadline;
  if (theirs && waiting_ == Waiting::kResponse && connection != nullptr) {
    leave_limit(proxy_.loop().now() - sent_);
  }
  report(theirs ? Outcome::kOwnFailure : Outcome::kUnknown);
  if (theirs) {
    report_success(false);
  }
  if (theirs && at_endpoint_) {
    cluster_.failed(*endpoint_, stream_->shard().random());
  }
  filter::Stream& stream = detach();
  if (connection != nullptr) {
    connection->abandon();
  }
  stream.fail(upstream_error(Errc::kTimeout, detail));
}

void Exchange::cancel() noexcept {
  upstream::ClientStream* connection = connection_;
  detach();
  if (connection != nullptr) {
    connection->abandon();
  }
}

/// To admission, once.
void Exchange::report_success(bool success) noexcept {
  if (std::exchange(success_due_, false)) {
    cluster_.report_success(success);
  }
}

/// By the status; of a gRPC call that has begun well by the one it ends with.
void Exchange::report_success_of(int status, bool end) noexcept {
  if (!success_due_) {
    return;
  }
  const auto grpc_status = http::grpc_status_of(stream_->response.headers);
  if (stream_->info.grpc && grpc_status) {
    report_success(is_success(*grpc_status));
  } else if (!stream_->info.grpc || end || status >= kServerErrors) {
    report_success(status < kServerErrors && !stream_->info.grpc);
  }
}

/// Of the adaptive limit, once: a request counts until its answer begins.
void Exchange::leave_limit(std::optional<Duration> latency) noexcept {
  using Admission = policy::AdaptiveLimit::Admission;
  const Admission admission = std::exchange(admission_, Admission::kNone);
  if (admission != Admission::kNone) {
    cluster_.leave(admission, latency);
  }
}

/// An answer that breaks off after its head was a success at first.
void Exchange::count_once_more() noexcept {
  using Ticket = policy::CircuitBreaker::Ticket;
  tickets_.upstream = tickets_.upstream == Ticket::kNone ? Ticket::kCounted : tickets_.upstream;
  if (tickets_.route == Ticket::kNone && stream_->route()->breaker != nullptr) {
    tickets_.route = Ticket::kCounted;
  }
}

void Exchange::report(Outcome outcome) noexcept {
  proxy::report(*stream_, cluster_, tickets_, outcome);
}

/// Takes leave of the stream, which may live on to send what it has.
filter::Stream& Exchange::detach() noexcept {
  filter::Stream& stream = *stream_;
  report(Outcome::kUnknown);
  end_waiting_for_slot();
  end_pending();
  if (hedge_ != nullptr) {
    hedge_->stop();
  }
  stream.release_sink();
  leave_endpoint();
  if (std::exchange(has_slot_, false)) {
    cluster_.slots().give_back();
  }
  cluster_.stats().active.subtract();
  retire();
  return stream;
}

/// It is over, or a tunnel goes on in its place.
void Exchange::retire() noexcept {
  stream_ = nullptr;
  connection_ = nullptr;
  kept_body_.clear();  // it lies in the stream's arena
  tried_ = nullptr;
  timer_.disarm();
  try_timer_.disarm();
  leave_limit(std::nullopt);
  if (std::exchange(retrying_, false)) {
    cluster_.end_retry();
  }
  proxy_.retire(*this);
}

// --- time -------------------------------------------------------------------------------------

void Exchange::wait_for(Waiting what) noexcept {
  waiting_ = what;
  touch();
}

/// Something moved: the wait begins anew.
void Exchange::touch() noexcept {
  const config::Route& route = *stream_->route()->config;
  Duration timeout{};
  switch (waiting_) {
    // A gRPC call says itself how long it may take, and may stream without a head for long.
    case Waiting::kResponse:
      timeout = stream_->info.grpc ? route.stream_idle_timeout : route.timeout;
      break;
    case Waiting::kProgress: timeout = route.stream_idle_timeout; break;
    case Waiting::kTunnel: timeout = route.tunnel_idle_timeout; break;
  }
  if (deadline_ != TimePoint{}) {
    const Duration left = std::max(deadline_ - proxy_.loop().now(), Duration(1));
    timeout = timeout == Duration::zero() ? left : std::min(timeout, left);
  }
  if (timeout == Duration::zero()) {
    timer_.disarm();
  } else {
    timer_.arm(proxy_.loop().timers(), timeout);
  }
}

}  // namespace hangu::proxy
