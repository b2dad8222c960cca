#include "hangu/proxy/proxy.h"

#include <utility>

#include "hangu/base/assert.h"

#include "proxy/callouts.h"
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
      mirrors_(std::make_unique<Mirrors>(*this, loop)),
      callouts_(std::make_unique<Callouts>(loop)) {}

Proxy::~Proxy() {
  callouts_.reset();  // theirs are exchanges, too
  bury();
  HANGU_DCHECK(live_.empty());
}

namespace {

using Admission = policy::AdaptiveLimit::Admission;

/// The upstream can take no more at the moment.
void refuse_for_now(filter::Stream& stream, const upstream::Cluster& cluster,
                    http::LocalReply reply, std::string_view origin) noexcept {
  stream.info.rule = stream.arena().copy(cluster.config().name);
  reply.status = 503;
  reply.retry_after_s = 1 + static_cast<uint32_t>(stream.shard().random() % 2);
  reply.type = http::kReducedCapacity;
  stream.send_local_reply(reply, origin);
}

/// Whether how long the answer takes says anything about the upstream: not for what is open by
/// design, such as tunnels, streams and long polls.
bool is_measured(const filter::Stream& stream) noexcept {
  const config::Route& route = *stream.route()->config;
  const bool upgrade = stream.request.upgrade && route.upgrades;
  const bool open_call = stream.info.grpc && stream.request.headers.find("grpc-timeout") == nullptr;
  return !upgrade && !open_call && route.timeout != Duration::zero();
}

/// False: the stream was refused, since too many before it failed.
bool admit_by_success(filter::Stream& stream, upstream::Cluster& cluster) noexcept {
  if (!cluster.controls_admission() ||
      stream.route()->config->priority == config::Priority::kHigh ||
      cluster.admits_by_success(stream.shard().random())) {
    return true;
  }
  if (cluster.config().admission.mode == config::Mode::kShadow) {
    stream.note_shadow("admission");
    return true;
  }
  refuse_for_now(stream, cluster,
                 {.code = "overload.admission", .detail = "the upstream fails too often"},
                 "admission");
  return false;
}

/// False: the stream was refused.
bool enter(filter::Stream& stream, upstream::Cluster& cluster, Admission& admission) noexcept {
  if (!cluster.limits_concurrency() || !is_measured(stream)) {
    return true;
  }
  admission = cluster.enter(stream.route()->config->priority);
  if (admission == Admission::kNone) {
    refuse_for_now(
        stream, cluster,
        {.code = "overload.concurrency", .detail = "the upstream has too many requests under way"},
        "adaptive_concurrency");
    return false;
  }
  if (admission == Admission::kOver) {
    stream.note_shadow("adaptive_concurrency");
  }
  return true;
}

}  // namespace

void Proxy::start(filter::Stream& stream, bool end) noexcept {
  upstream::Cluster* found = cluster(stream.info.cluster);
  if (found == nullptr) {
    stream.fail(internal_error(Errc::kInternal, "the route's upstream is not known to the shard"));
    return;
  }
  Exchange::Entry entry;
  if (!admit_by_success(stream, *found) || !enter(stream, *found, entry.admission)) {
    return;
  }
  if (!admit(stream, *found, entry.tickets)) {
    if (entry.admission != Admission::kNone) {
      found->leave(entry.admission, std::nullopt);
    }
    return;
  }
  Exchange& exchange = *exchanges_->make(*this, stream, *found, entry).release();  // owned by live_
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

filter::Callouts& Proxy::callouts() noexcept {
  return *callouts_;
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
