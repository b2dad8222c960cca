#include "proxy/exchange.h"

#include <algorithm>
#include <utility>

#include "hangu/http/grpc.h"
#include "hangu/proxy/proxy.h"
#include "hangu/stats/shard_stats.h"
#include "hangu/upstream/heads.h"

#include "proxy/tunnel.h"

namespace hangu::proxy {
namespace {

// A connection that its peer closed before it read the request costs nothing but the time to open
// another; the second try always uses a new connection, so more than this would be another fault.
constexpr uint32_t kAttemptsMax = 16;

using Ticket = policy::CircuitBreaker::Ticket;
using Outcome = policy::CircuitBreaker::Outcome;

bool is_one_of(const std::vector<uint32_t>& statuses, int status) {
  return std::find(statuses.begin(), statuses.end(), static_cast<uint32_t>(status)) !=
         statuses.end();
}

}  // namespace

Exchange::Exchange(Proxy& proxy, filter::Stream& stream, upstream::Cluster& cluster,
                   policy::CircuitBreaker::Ticket ticket)
    : proxy_(proxy),
      stream_(&stream),
      cluster_(cluster),
      timer_(*this),
      try_timer_(*this),
      ticket_(ticket) {}

void Exchange::start(bool request_end) noexcept {
  request_end_ = request_end;
  upgrade_ = stream_->request.upgrade && stream_->route()->config->upgrades;
  stats::UpstreamStats::Slot& stats = cluster_.stats();
  stats.requests.add();
  stats.active.add();
  if (stream_->info.grpc) {
    if (const http::Header* timeout = stream_->request.headers.find("grpc-timeout")) {
      const auto parsed = http::parse_grpc_timeout(timeout->value());
      deadline_ = parsed ? proxy_.loop().now() + *parsed : TimePoint{};
    }
  }
  wait_for(request_end ? Waiting::kResponse : Waiting::kProgress);
  if (!request_end) {
    stream_->set_request_wanted(false);
  }
  attempt(false);
}

void Exchange::attempt(bool fresh) noexcept {
  endpoint_ = cluster_.pick(endpoint_, *stream_);
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
  if (const Duration limit = cluster_.config().retry.try_timeout;
      limit != Duration::zero() && may_try_another()) {
    try_timer_.arm(proxy_.loop().timers(), limit);
  }
  if (upstream::ClientStream* ready = endpoint_->take_ready(!fresh)) {
    cluster_.stats().reuses.add();
    send(*ready);
    return;
  }
  endpoint_->open(*this);
}

void Exchange::leave_endpoint() noexcept {
  if (std::exchange(at_endpoint_, false)) {
    endpoint_->request_ended();
  }
}

void Exchange::on_connect(upstream::ClientStream* stream, const Error& error) noexcept {
  if (stream != nullptr) {
    send(*stream);
  } else {
    on_failure(error);
  }
}

void Exchange::send(upstream::ClientStream& place) noexcept {
  connection_ = &place;
  filter::Stream& stream = *stream_;
  if (!std::exchange(head_prepared_, true)) {
    upstream::prepare_request_head(stream, upgrade_);
  }
  sent_ = proxy_.loop().now();
  stream.info.upstream_reused = place.requests_before() != 0;
  upstream::OutgoingRequest request = upstream::outgoing_request(stream, *endpoint_);
  request.has_body = !request_end_;
  request.upgrade = upgrade_;
  request.handler = this;
  place.send_request(request);
  if (connection_ == &place && !request_end_) {
    stream.set_request_wanted(true);
  }
}

// --- the request body -------------------------------------------------------------------------

void Exchange::on_request_data(buffer::Slice&& data, bool end) noexcept {
  if (connection_ == nullptr) {
    return;
  }
  touch();
  body_sent_ = body_sent_ || data.size != 0;
  connection_->send_data(std::move(data), end);
  if (end) {
    request_ended();
  } else if (connection_->congested()) {
    stream_->set_request_wanted(false);
  }
}

void Exchange::on_request_trailers(const http::HeaderBlock& trailers) noexcept {
  if (connection_ != nullptr) {
    connection_->send_trailers(trailers);
    request_ended();
  }
}

net::Connection* Exchange::request_target() noexcept {
  // Some of the body has left as data: a request that is spliced is not replayed any more.
  return body_sent_ && connection_ != nullptr ? connection_->request_target() : nullptr;
}

void Exchange::request_ended() noexcept {
  request_end_ = true;
  if (waiting_ == Waiting::kTunnel) {
    tunnel_request_end_ = true;
    connection_->end_tunnel();
    end_tunnel_if_done();
  } else if (!stream_->head_sent()) {
    wait_for(Waiting::kResponse);
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
  try_timer_.disarm();
  report(is_one_of(cluster_.config().circuit_breaker.statuses, status) ? Outcome::kFailure
                                                                       : Outcome::kSuccess);
  tell_answer(status);
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

/// To whom judges the endpoint.
void Exchange::tell_answer(int status) noexcept {
  cluster_.answered(*endpoint_,
                    {.status = status, .upgrade = upgrade_, .latency = proxy_.loop().now() - sent_},
                    stream_->shard().random());
}

void Exchange::on_response_data(buffer::Slice&& data, bool end) noexcept {
  if (end) {
    filter::Stream& stream = detach();
    stream.on_response_data(std::move(data), true);
    return;
  }
  touch();
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
  if (!stream_->head_sent() || tunnel_request_end_ || tunnel_response_end_ ||
      !connection_->releasable()) {
    return;
  }
  net::RelayEnd client;
  filter::TunnelOwner* owner = stream_->release_client(client);
  if (owner == nullptr) {
    return;
  }
  auto made =
      std::make_unique<Tunnel>(proxy_, Tunnel::Origin{cluster_, *endpoint_}, *stream_, *owner);
  Tunnel& tunnel = *made;
  owner->take(std::move(made));
  net::RelayEnd server;
  connection_->release(server);
  at_endpoint_ = false;  // the tunnel is
  retire();
  tunnel.begin(std::move(client), std::move(server));
}

// --- failures ---------------------------------------------------------------------------------

void Exchange::on_failure(const Error& error) noexcept {
  connection_ = nullptr;
  try_timer_.disarm();
  if (error.retry != Retry::kIfReused) {
    cluster_.failed(*endpoint_, stream_->shard().random());
  }
  leave_endpoint();
  if (!may_retry(error)) {
    fail(error);
    return;
  }
  if (!request_end_) {
    stream_->set_request_wanted(false);  // until there is a connection again
  }
  if (error.retry == Retry::kIfReused) {
    cluster_.stats().replays.add();
    attempt(true);
  } else if (!retry()) {
    fail(error);
  }
}

// --- further tries ----------------------------------------------------------------------------

/// Whether the request may be sent again although an upstream has seen it.
bool Exchange::may_try_another() const noexcept {
  return request_end_ && !body_sent_ && !upgrade_ && !stream_->head_sent() &&
         attempts_ <= cluster_.config().retry.attempts &&
         http::is_idempotent(stream_->request.method);
}

/// False: over the budget.
bool Exchange::retry() noexcept {
  if (!retrying_ && !cluster_.begin_retry()) {
    return false;
  }
  retrying_ = true;
  cluster_.stats().retries.add();
  const Duration wait = backoff();
  if (wait == Duration::zero()) {
    attempt(false);
  } else {
    try_timer_.arm(proxy_.loop().timers(), wait);
  }
  return true;
}

/// At random up to a time that doubles with each try.
Duration Exchange::backoff() const noexcept {
  const config::RetryPolicy& policy = cluster_.config().retry;
  if (policy.backoff == Duration::zero() || (attempts_ == 1 && cluster_.endpoint_count() > 1)) {
    return Duration::zero();
  }
  const Duration most =
      std::min(policy.backoff * (1 << std::min(attempts_ - 1, 10U)), policy.backoff_max);
  const auto random = stream_->shard().random() % static_cast<uint64_t>(most.count());
  return Duration(static_cast<int64_t>(random) + 1);
}

/// In place of taking an answer that another try may better. `end`: it has no body.
bool Exchange::retry_instead(int status, bool end) noexcept {
  if (!is_one_of(cluster_.config().retry.statuses, status) || !may_try_another() ||
      (!retrying_ && !cluster_.begin_retry())) {
    return false;
  }
  retrying_ = true;
  tell_answer(status);
  if (end) {
    connection_ = nullptr;  // it is done with us
  }
  give_up_try();
  static_cast<void>(retry());
  return true;
}

void Exchange::give_up_try() noexcept {
  try_timer_.disarm();
  if (upstream::ClientStream* connection = std::exchange(connection_, nullptr)) {
    connection->abandon();
  }
  upstream::ConnectHandler::unlink();
  leave_endpoint();
}

/// No answer in time, or the time for the next try has come.
void Exchange::on_try_timer() noexcept {
  if (!at_endpoint_) {
    attempt(false);
    return;
  }
  if (!may_try_another()) {
    return;  // the exchange's own timer decides
  }
  cluster_.failed(*endpoint_, stream_->shard().random());
  give_up_try();
  if (!retry()) {
    fail(upstream_error(Errc::kTimeout, "no response from the upstream in time"));
  }
}

bool Exchange::may_retry(const Error& error) const noexcept {
  if (stream_->head_sent() || body_sent_ || attempts_ >= kAttemptsMax) {
    return false;
  }
  switch (error.retry) {
    case Retry::kNever: return false;
    case Retry::kSafe: return attempts_ <= cluster_.config().retry.attempts;
    case Retry::kIfReused: return http::is_idempotent(stream_->request.method);
  }
  return false;
}

void Exchange::fail(const Error& error) noexcept {
  cluster_.stats().failures.add();
  // An answer that breaks off after its head was a success at first; it counts once more.
  ticket_ = ticket_ == Ticket::kNone ? Ticket::kCounted : ticket_;
  report(error.code == Errc::kNoEndpoint ? Outcome::kUnknown : Outcome::kOwnFailure);
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
  report(theirs ? Outcome::kOwnFailure : Outcome::kUnknown);
  if (theirs) {
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

/// To the circuit breaker, once.
void Exchange::report(Outcome outcome) noexcept {
  const Ticket ticket = std::exchange(ticket_, Ticket::kNone);
  if (ticket != Ticket::kNone) {
    cluster_.report(ticket, outcome);
  }
}

/// Takes leave of the stream, which may live on to send what it has.
filter::Stream& Exchange::detach() noexcept {
  filter::Stream& stream = *stream_;
  stream.release_sink();
  leave_endpoint();
  cluster_.stats().active.subtract();
  retire();
  return stream;
}

/// It is over, or a tunnel goes on in its place.
void Exchange::retire() noexcept {
  stream_ = nullptr;
  connection_ = nullptr;
  upstream::ConnectHandler::unlink();
  timer_.disarm();
  try_timer_.disarm();
  report(Outcome::kUnknown);
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
