// The part of an Exchange that waits for its place: for one of the slots that the node has for its
// upstream, see upstream/slot_queue.h.
#include <utility>

#include "hangu/proxy/proxy.h"

#include "proxy/exchange.h"

namespace hangu::proxy {

void Exchange::enter() noexcept {
  const config::Upstream& upstream = cluster_.config();
  if (upstream.limits.mode == config::Mode::kShadow) {
    has_slot_ = true;
    if (cluster_.slots().enter_anyway()) {
      cluster_.stats().shadow_overflows.add();
      stream_->note_shadow(kUpstreamLimits);
    }
    attempt(false);
    return;
  }
  switch (cluster_.slots().enter(*this, stream_->route()->config->priority)) {
    case upstream::SlotQueue::Entry::kEntered:
      has_slot_ = true;
      attempt(false);
      break;
    case upstream::SlotQueue::Entry::kWaiting:
      queued_since_ = proxy_.loop().now();
      try_timer_.arm(proxy_.loop().timers(), upstream.queue.timeout);
      break;
    case upstream::SlotQueue::Entry::kFull:
      fail(upstream_error(Errc::kOverflow, "the upstream has as many requests as it may have"));
      break;
  }
}

bool Exchange::waits_for_slot() const noexcept {
  return queued_since_ != TimePoint{};
}

void Exchange::end_waiting_for_slot() noexcept {
  if (waits_for_slot()) {
    const TimePoint since = std::exchange(queued_since_, TimePoint{});
    stream_->info.queued_ns = (proxy_.loop().now() - since).count();
    cluster_.slots().leave(*this);
  }
}

void Exchange::on_slot() noexcept {
  has_slot_ = true;
  end_waiting_for_slot();
  try_timer_.disarm();
  if (!admit_again(*stream_, cluster_, tickets_)) {
    return;  // refused: that has cancelled us
  }
  attempt(false);
}

void Exchange::on_queue_timeout() noexcept {
  cluster_.stats().queue_timeouts.add();
  fail(upstream_error(Errc::kQueueTimeout, "no place at the upstream became free in time"));
}

}  // namespace hangu::proxy
