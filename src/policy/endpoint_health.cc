#include "hangu/policy/endpoint_health.h"

#include <utility>

namespace hangu::policy {

EndpointHealth::EndpointHealth(std::shared_ptr<PoolVersion> version, uint32_t shards,
                               int64_t since_ns)
    : version_(std::move(version)),
      tallies_(std::make_unique<ShardTally[]>(shards)),
      shards_(shards),
      since_ns_(since_ns) {}

int64_t EndpointHealth::there_since_ns(int64_t now_ns) const noexcept {
  const int64_t since = since_ns_.load(std::memory_order_relaxed);
  const int64_t until = ejected_until_ns_.load(std::memory_order_relaxed);
  return until <= now_ns ? std::max(since, until) : since;
}

bool EndpointHealth::failed(const config::Ejection& options, Failure kind) noexcept {
  const bool enough = failures_.fetch_add(1, std::memory_order_relaxed) + 1 >= options.failures;
  if (kind != Failure::kGateway) {
    gateway_failures_.store(0, std::memory_order_relaxed);
    return enough;
  }
  const uint32_t in_a_row = gateway_failures_.fetch_add(1, std::memory_order_relaxed) + 1;
  return enough || (options.gateway_failures != 0 && in_a_row >= options.gateway_failures);
}

int64_t EndpointHealth::eject(const config::Ejection& options, double jitter,
                              int64_t now_ns) noexcept {
  int64_t until = ejected_until_ns_.load(std::memory_order_relaxed);
  if (until > now_ns) {
    return 0;
  }
  const int64_t most = std::max(options.time_max.count(), options.time.count());
  int64_t times = ejections_.load(std::memory_order_relaxed) + 1;
  int64_t length = std::min(options.time.count() * times, most);
  if (until != 0 && now_ns - until > length) {
    times = 1;
    length = options.time.count();
  }
  length += static_cast<int64_t>(static_cast<double>(length) * jitter / 10);
  if (!ejected_until_ns_.compare_exchange_strong(until, now_ns + length)) {
    return 0;
  }
  ejections_.store(static_cast<uint32_t>(std::min<int64_t>(times, 1'000'000)),
                   std::memory_order_relaxed);
  failures_.store(0, std::memory_order_relaxed);
  gateway_failures_.store(0, std::memory_order_relaxed);
  version_->move();
  return length;
}

bool EndpointHealth::end_ejection(int64_t now_ns) noexcept {
  int64_t until = ejected_until_ns_.load(std::memory_order_relaxed);
  if (until <= now_ns ||
      !ejected_until_ns_.compare_exchange_strong(until, now_ns, std::memory_order_relaxed)) {
    return false;
  }
  version_->move();
  return true;
}

void EndpointHealth::undo_ejection(int64_t now_ns) noexcept {
  if (end_ejection(now_ns)) {
    ejections_.fetch_sub(1, std::memory_order_relaxed);
  }
}

bool EndpointHealth::set_check(Check check, int64_t now_ns) noexcept {
  const Check before = check_.load(std::memory_order_relaxed);
  if (before == check) {
    return false;
  }
  if (before == Check::kBad) {
    since_ns_.store(now_ns, std::memory_order_relaxed);
  }
  check_.store(check, std::memory_order_relaxed);
  version_->move();
  return true;
}

bool EndpointHealth::set_order(Order order, int64_t now_ns) noexcept {
  if (order_.load(std::memory_order_relaxed) == order) {
    return false;
  }
  if (order == Order::kReady) {
    since_ns_.store(now_ns, std::memory_order_relaxed);
  }
  order_.store(order, std::memory_order_relaxed);
  version_->move();
  return true;
}

void EndpointHealth::count(uint32_t shard, bool failure) noexcept {
  ShardTally& tally = tallies_[shard];
  tally.requests.store(tally.requests.load(std::memory_order_relaxed) + 1,
                       std::memory_order_relaxed);
  if (failure) {
    tally.failures.store(tally.failures.load(std::memory_order_relaxed) + 1,
                         std::memory_order_relaxed);
  }
}

EndpointHealth::Tally EndpointHealth::tally() const noexcept {
  Tally sum;
  for (uint32_t shard = 0; shard < shards_; ++shard) {
    sum.requests += tallies_[shard].requests.load(std::memory_order_relaxed);
    sum.failures += tallies_[shard].failures.load(std::memory_order_relaxed);
  }
  return sum;
}

bool may_eject(size_t unwell, size_t count, uint32_t percent_max) noexcept {
  const size_t most = std::max<size_t>(count * percent_max / 100, 1);
  return unwell < most && unwell + 1 < count;
}

std::string_view to_string(EndpointHealth::Check check) noexcept {
  switch (check) {
    case EndpointHealth::Check::kNone: return "unknown";
    case EndpointHealth::Check::kGood: return "good";
    case EndpointHealth::Check::kBad: return "bad";
  }
  return "unknown";
}

std::string_view to_string(EndpointHealth::Order order) noexcept {
  switch (order) {
    case EndpointHealth::Order::kReady: return "ready";
    case EndpointHealth::Order::kDrain: return "drain";
    case EndpointHealth::Order::kMaintenance: return "maint";
  }
  return "ready";
}

}  // namespace hangu::policy
