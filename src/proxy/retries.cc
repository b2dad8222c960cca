// The part of an Exchange that tries again: what may be sent a second time, when, and where to. The
// rules are in policy/retry.h.
#include <memory>
#include <utility>

#include "hangu/policy/retry.h"
#include "hangu/proxy/proxy.h"

#include "proxy/exchange.h"
#include "proxy/hedge.h"
#include "proxy/statuses.h"

namespace hangu::proxy {
namespace {

// A connection that its peer closed before it read the request costs nothing but the time to open
// another; the second try uses a new connection if it can, so more than this would be another
// fault.
constexpr uint32_t kAttemptsMax = 16;

}  // namespace

// --- the request's body -----------------------------------------------------------------------

/// Keeps the body unless that is of no use: over HTTP/1.1 only requests that may arrive twice are
/// sent again once some of the body has left.
void Exchange::keep_body_if_useful() noexcept {
  const config::Upstream& upstream = cluster_.config();
  const http::RequestHead& request = stream_->request;
  const bool too_large = request.framing == http::BodyFraming::kLength &&
                         request.content_length > upstream.retry.buffer_bytes;
  const bool unseen_after_all = upstream.protocol != config::UpstreamProtocol::kHttp1;
  if (!too_large && !upgrade_ && (unseen_after_all || may_repeat())) {
    kept_body_.limit(upstream.retry.buffer_bytes);
  }
}

void Exchange::send_kept_body(upstream::ClientStream& place) noexcept {
  kept_body_.for_each([&](buffer::Slice&& piece) {
    if (connection_ == &place) {
      place.send_data(std::move(piece), false);
    }
  });
  if (connection_ != &place) {
    return;
  }
  if (request_end_) {
    place.send_data(buffer::Slice{}, true);
  } else {
    stream_->set_request_wanted(!place.congested());
  }
}

// --- whether ----------------------------------------------------------------------------------

bool Exchange::may_repeat() const noexcept {
  return policy::may_repeat(cluster_.config().retry, stream_->request.method,
                            stream_->request.headers);
}

std::optional<config::RetryReason> Exchange::may_retry(const Error& error) const noexcept {
  using config::RetryReason;
  std::optional<RetryReason> reason = policy::retry_reason(error);
  if (!reason || stream_->head_sent() || kept_body_.lost() || attempts_ >= kAttemptsMax) {
    return std::nullopt;
  }
  const policy::RetryReasons& reasons = cluster_.retry_reasons();
  if (reason == RetryReason::kResetBeforeRequest) {
    if (reasons.has(*reason) && may_repeat()) {
      return reason;
    }
    reason = RetryReason::kReset;
  }
  const bool again = reason != RetryReason::kReset || may_repeat();
  return reasons.has(*reason) && again && retries_ < cluster_.config().retry.attempts
             ? reason
             : std::nullopt;
}

/// Whether the request may be sent again although an upstream has seen it and may yet answer.
bool Exchange::may_try_another() const noexcept {
  return request_end_ && !kept_body_.lost() && !upgrade_ && !stream_->head_sent() &&
         retries_ < cluster_.config().retry.attempts && attempts_ < kAttemptsMax && may_repeat();
}

/// False: over the budget.
bool Exchange::claim_retry() noexcept {
  if (!retrying_ && !cluster_.begin_retry()) {
    stream_->info.retry_overflow = true;
    return false;
  }
  retrying_ = true;
  return true;
}

// --- when and where to ------------------------------------------------------------------------

upstream::Cluster::Tried Exchange::tried() const noexcept {
  return tried_ == nullptr ? upstream::Cluster::Tried{}
                           : upstream::Cluster::Tried(tried_->endpoints.data(), tried_->count);
}

void Exchange::note_tried() noexcept {
  if (tried_ == nullptr) {
    tried_ = std::construct_at(
        reinterpret_cast<Tried*>(stream_->arena().allocate(sizeof(Tried), alignof(Tried))));
  }
  if (tried_->count < Tried::kMax) {
    tried_->endpoints[tried_->count++] = endpoint_;
  }
}

/// Another endpoint is asked at once.
Duration Exchange::backoff() const noexcept {
  return retries_ < cluster_.endpoint_count()
             ? Duration::zero()
             : policy::retry_backoff(cluster_.config().retry, retries_, stream_->shard().random());
}

/// After claim_retry(). `wait`: at least so long.
void Exchange::retry(std::string_view reason, Duration wait) noexcept {
  ++retries_;
  note_tried();
  stream_->info.retried_for = reason;
  cluster_.stats().retries.add();
  wait = std::max(wait, backoff());
  if (wait == Duration::zero()) {
    attempt(false);
  } else {
    try_timer_.arm(proxy_.loop().timers(), wait);
  }
}

/// In place of taking an answer that another try may better. `end`: it has no body.
bool Exchange::retry_instead(int status, bool end) noexcept {
  if (!contains(cluster_.config().retry.statuses, status)) {
    return false;
  }
  if (hedge_racing()) {
    return leave_answer_to_hedge(end);
  }
  if (!may_try_another()) {
    return false;
  }
  const std::optional<Duration> wait = policy::retry_after_wait(
      stream_->response.headers.value(http::HeaderName::kRetryAfter), stream_->shard().random());
  if (!wait || !claim_retry()) {
    return false;
  }
  turn_answer_down(end);
  retry("status", *wait);
  return true;
}

void Exchange::turn_answer_down(bool end) noexcept {
  tell_answer(answer());
  if (end) {
    connection_ = nullptr;  // it is done with us
  }
  give_up_try();
}

void Exchange::give_up_try() noexcept {
  try_timer_.disarm();
  if (upstream::ClientStream* connection = std::exchange(connection_, nullptr)) {
    connection->abandon();
  }
  end_pending();
  leave_endpoint();
  if (hedge_ != nullptr && hedge_->current()) {
    hedge_->stop();
  }
}

// --- how a try ends ---------------------------------------------------------------------------

void Exchange::on_failure(const Error& error) noexcept {
  using config::RetryReason;
  connection_ = nullptr;
  try_timer_.disarm();
  if (error.retry != Retry::kIfReused && error.retry != Retry::kGoaway) {
    cluster_.failed(*endpoint_, stream_->shard().random());
  }
  leave_endpoint();
  if (leave_it_to_hedge()) {
    return;
  }
  const std::optional<RetryReason> reason = may_retry(error);
  if (!reason) {
    fail(error);
    return;
  }
  if (!request_end_) {
    stream_->set_request_wanted(false);  // until there is a connection again
  }
  if (reason == RetryReason::kResetBeforeRequest) {
    cluster_.stats().replays.add();
    note_tried();
    attempt(true);
  } else if (claim_retry()) {
    retry(policy::to_string(*reason), Duration::zero());
  } else {
    fail(error);
  }
}

/// Only where a try has a bound of its own.
void Exchange::arm_try_timer() noexcept {
  const policy::RetryReasons& reasons = cluster_.retry_reasons();
  if (!reasons.has(config::RetryReason::kTimeout) || !at_endpoint_ || !may_try_another()) {
    return;
  }
  // A gRPC call has no `timeout` of the route, but perhaps its own.
  Duration whole = stream_->info.grpc ? Duration::zero() : stream_->route()->config->timeout;
  if (deadline_ != TimePoint{}) {
    const Duration left = std::max(deadline_ - proxy_.loop().now(), Duration(1));
    whole = whole == Duration::zero() ? left : std::min(whole, left);
  }
  const Duration limit = policy::try_time(cluster_.config().retry, whole);
  if (limit != Duration::zero()) {
    try_timer_.arm(proxy_.loop().timers(), limit);
  }
}

/// No answer in time, or the time for the next try has come.
void Exchange::on_try_timer() noexcept {
  if (waits_for_slot()) {
    on_queue_timeout();
    return;
  }
  if (!at_endpoint_) {
    attempt(false);
    return;
  }
  if (!may_try_another()) {
    return;  // the exchange's own timer decides
  }
  cluster_.failed(*endpoint_, stream_->shard().random());
  if (leave_it_to_hedge() || !claim_retry()) {
    return;  // the second one, or the first, may still answer
  }
  give_up_try();
  retry(policy::to_string(config::RetryReason::kTimeout), Duration::zero());
}

}  // namespace hangu::proxy
