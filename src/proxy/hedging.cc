// The part of an Exchange that asks a second endpoint while the first has not answered; see Hedge.
#include <utility>

#include "hangu/proxy/proxy.h"

#include "proxy/exchange.h"
#include "proxy/hedge.h"
#include "proxy/statuses.h"

namespace hangu::proxy {

/// Of requests that only read, are complete and expect one answer.
void Exchange::consider_hedging() noexcept {
  const http::Method method = stream_->request.method;
  if ((method != http::Method::kGet && method != http::Method::kHead) || has_body_ || upgrade_) {
    return;
  }
  const Duration delay = cluster_.hedge_delay();
  if (delay != Duration::zero()) {
    hedge_ = &proxy_.make_hedge(*this);
    hedge_->wait(proxy_.loop().timers(), delay);
  }
}

bool Exchange::hedge_racing() const noexcept {
  return hedge_ != nullptr && hedge_->racing();
}

void Exchange::on_hedge_due() noexcept {
  if (!at_endpoint_ || stream_->head_sent() || is_probe(tickets_) || !cluster_.begin_hedge()) {
    return;  // it waits for a slot or for its next try, or is the one that a breaker lets through
  }
  if (cluster_.config().hedging.mode == config::Mode::kShadow) {
    stream_->note_shadow("hedge");
    cluster_.stats().shadow_hedges.add();
    return;
  }
  const upstream::Endpoint* const first = endpoint_;
  upstream::Endpoint* const second = cluster_.pick({&first, 1}, *stream_);
  if (second == nullptr || second == first) {
    return;
  }
  if (has_slot_ && !take_slot_for_hedge()) {
    cluster_.stats().hedge_overflows.add();
    return;
  }
  cluster_.stats().hedges.add();
  ++stream_->info.upstream_attempts;
  stream_->info.hedge = filter::HedgeOutcome::kLost;
  hedge_->begin(*second, has_slot_);
}

bool Exchange::take_slot_for_hedge() noexcept {
  if (cluster_.config().limits.mode == config::Mode::kShadow) {
    static_cast<void>(cluster_.slots().enter_anyway());
    return true;
  }
  return cluster_.slots().take();
}

/// The first try has ended, or is given up for the second.
void Exchange::continue_with_hedge() noexcept {
  endpoint_ = hedge_->endpoint();
  at_endpoint_ = true;
  connection_ = hedge_->place();
  sent_ = hedge_->sent();
  stream_->info.upstream_address = stream_->arena().copy(endpoint_->address_text());
  stream_->info.hedge = filter::HedgeOutcome::kWon;
  cluster_.stats().hedges_won.add();
  hedge_->become_current();
}

void Exchange::on_hedge_connected(upstream::ClientStream& place) noexcept {
  connection_ = &place;
  sent_ = proxy_.loop().now();
}

void Exchange::on_hedge_failed(upstream::Endpoint& endpoint) noexcept {
  cluster_.failed(endpoint, stream_->shard().random());
}

/// The first answer wins, unless it is one that another try may better: that is under way.
void Exchange::on_hedge_answered(bool end) noexcept {
  const int status = hedge_->response().status;
  if (hedge_->racing()) {
    if (contains(cluster_.config().retry.statuses, status)) {
      cluster_.answered(*hedge_->endpoint(),
                        {.status = judged_status(*stream_, hedge_->response()),
                         .latency = proxy_.loop().now() - hedge_->sent()},
                        stream_->shard().random());
      hedge_->stop();
      return;
    }
    cluster_.note_latency(proxy_.loop().now() - sent_);
    give_up_try();
    continue_with_hedge();
  }
  http::copy_head(hedge_->response(), stream_->response, stream_->arena());
  static_cast<upstream::ResponseHandler&>(*this).on_response_head(end);
}

/// In place of retrying: the second try is under way. False: it is not.
bool Exchange::leave_it_to_hedge() noexcept {
  if (!hedge_racing()) {
    return false;
  }
  give_up_try();
  continue_with_hedge();
  return true;
}

/// In place of taking the first's answer, which the second may better.
bool Exchange::leave_answer_to_hedge(bool end) noexcept {
  turn_answer_down(end);
  continue_with_hedge();
  return true;
}

}  // namespace hangu::proxy
