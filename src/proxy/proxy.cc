#include "hangu/proxy/proxy.h"

#include <algorithm>
#include <utility>

#include "hangu/base/assert.h"

#include "proxy/exchange.h"
#include "proxy/mirrors.h"

namespace hangu::proxy {

Proxy::Proxy(event::Loop& loop, stats::Counter& timeouts)
    : loop_(loop),
      timeouts_(timeouts),
      exchanges_(std::make_unique<buffer::ObjectPool<Exchange>>()),
      joiner_(*this),
      graveyard_(*this),
      mirrors_(std::make_unique<Mirrors>(*this, loop)) {}

Proxy::~Proxy() {
  bury();
  HANGU_DCHECK(live_.empty());
}

namespace {

/// The circuit breaker of the upstream is open.
void refuse(filter::Stream& stream, const upstream::Cluster& cluster,
            const policy::CircuitBreaker::Admission& admission) noexcept {
  constexpr int64_t kSecondNs = 1'000'000'000;
  const int64_t seconds = (admission.retry_in_ns + kSecondNs - 1) / kSecondNs;
  stream.info.rule = stream.arena().copy(cluster.config().name);
  stream.send_local_reply({.status = 503,
                           .code = "upstream.circuit_open",
                           .detail = "the upstream has failed too often",
                           .retry_after_s = static_cast<uint32_t>(std::max<int64_t>(seconds, 1))},
                          "circuit_breaker");
}

}  // namespace

void Proxy::start(filter::Stream& stream, bool end) noexcept {
  upstream::Cluster* found = cluster(stream.info.cluster);
  if (found == nullptr) {
    stream.fail(internal_error(Errc::kInternal, "the route's upstream is not known to the shard"));
    return;
  }
  const policy::CircuitBreaker::Admission admission = found->admit();
  if (admission.ticket == policy::CircuitBreaker::Ticket::kNone) {
    if (found->config().circuit_breaker.mode == config::Mode::kEnforce) {
      refuse(stream, *found, admission);
      return;
    }
    stream.info.shadow = "circuit_breaker";
  }
  Exchange& exchange =
      *exchanges_->make(*this, stream, *found, admission.ticket).release();  // owned by live_
  live_.push_back(exchange);
  stream.attach_sink(exchange);
  exchange.start(end);
}

void Proxy::join_later(Exchange& exchange) noexcept {
  exchange.unlink();
  joining_.push_back(exchange);
  loop_.defer(joiner_);
}

void Proxy::join() noexcept {
  while (Exchange* exchange = joining_.pop_front()) {
    live_.push_back(*exchange);
    exchange->become_tunnel();
  }
}

filter::Mirrors& Proxy::mirrors() noexcept {
  return *mirrors_;
}

void Proxy::retire(Exchange& exchange) noexcept {
  exchange.unlink();
  ended_.push_back(exchange);
  loop_.defer(graveyard_);
}

void Proxy::bury() noexcept {
  while (Exchange* exchange = ended_.pop_front()) {
    exchanges_->destroy(exchange);
  }
}

void Proxy::set_cluster(uint32_t number, std::unique_ptr<upstream::Cluster> cluster) {
  if (clusters_.size() <= number) {
    clusters_.resize(number + 1);
  }
  clusters_[number] = std::move(cluster);
}

}  // namespace hangu::proxy
