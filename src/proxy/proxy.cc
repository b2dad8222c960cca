#include "hangu/proxy/proxy.h"

#include <utility>

#include "hangu/base/assert.h"

#include "proxy/circuits.h"
#include "proxy/exchange.h"
#include "proxy/hedge.h"
#include "proxy/mirrors.h"

namespace hangu::proxy {

Proxy::Proxy(event::Loop& loop, stats::Counter& timeouts)
    : loop_(loop),
      timeouts_(timeouts),
      exchanges_(std::make_unique<buffer::ObjectPool<Exchange>>()),
      hedges_(std::make_unique<buffer::ObjectPool<Hedge>>()),
      joiner_(*this),
      graveyard_(*this),
      mirrors_(std::make_unique<Mirrors>(*this, loop)) {}

Proxy::~Proxy() {
  bury();
  HANGU_DCHECK(live_.empty());
}

void Proxy::start(filter::Stream& stream, bool end) noexcept {
  upstream::Cluster* found = cluster(stream.info.cluster);
  if (found == nullptr) {
    stream.fail(internal_error(Errc::kInternal, "the route's upstream is not known to the shard"));
    return;
  }
  Tickets tickets;
  if (!admit(stream, *found, tickets)) {
    return;
  }
  Exchange& exchange =
      *exchanges_->make(*this, stream, *found, tickets).release();  // owned by live_
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

Hedge& Proxy::make_hedge(Exchange& exchange) noexcept {
  return *hedges_->make(exchange).release();  // destroyed with the exchange
}

void Proxy::retire(Exchange& exchange) noexcept {
  exchange.unlink();
  ended_.push_back(exchange);
  loop_.defer(graveyard_);
}

void Proxy::bury() noexcept {
  while (Exchange* exchange = ended_.pop_front()) {
    if (Hedge* hedge = exchange->hedge()) {
      hedges_->destroy(hedge);
    }
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
