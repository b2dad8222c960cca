#include "hangu/proxy/proxy.h"

#include <utility>

#include "hangu/base/assert.h"

#include "proxy/exchange.h"

namespace hangu::proxy {

Proxy::Proxy(event::Loop& loop, stats::Counter& timeouts)
    : loop_(loop),
      timeouts_(timeouts),
      exchanges_(std::make_unique<buffer::ObjectPool<Exchange>>()),
      graveyard_(*this) {}

Proxy::~Proxy() {
  bury();
  HANGU_DCHECK(live_.empty());
}

void Proxy::start(filter::Stream& stream, bool end) noexcept {
  upstream::Cluster* found = cluster(stream.route()->cluster);
  if (found == nullptr) {
    stream.fail(internal_error(Errc::kInternal, "the route's upstream is not known to the shard"));
    return;
  }
  Exchange& exchange = *exchanges_->make(*this, stream, *found).release();  // owned by live_
  live_.push_back(exchange);
  stream.attach_sink(exchange);
  exchange.start(end);
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
