#include "hangu/filter/jwt_keys.h"

#include <utility>

#include "hangu/filter/stream.h"

namespace hangu::filter {

JwtKeys::JwtKeys(std::string name, uint32_t shards, uint64_t seed, Fetcher* fetcher)
    : name_(std::move(name)),
      seed_(seed),
      fetcher_(fetcher),
      count_(shards),
      shards_(std::make_unique<ShardSide[]>(shards)) {}

void JwtKeys::begin_with(const std::shared_ptr<const identity::JwkSet>& keys) {
  for (uint32_t shard = 0; shard < count_; ++shard) {
    shards_[shard].keys = keys;
  }
}

void JwtKeys::take(uint32_t shard, identity::Issuer issuer) noexcept {
  ShardSide& side = shards_[shard];
  side.keys = std::move(issuer.keys);
  side.provider = std::move(issuer.provider);
  if (side.cache != nullptr) {
    side.cache->clear();
  }
}

bool JwtKeys::want(const config::JwtAuth& config, int64_t now_ns) noexcept {
  if (fetching_.load(std::memory_order_acquire)) {
    return true;
  }
  int64_t last = wanted_ns_.load(std::memory_order_relaxed);
  if (fetcher_ == nullptr || now_ns - last < config.refetch_cooldown.count()) {
    return false;
  }
  if (wanted_ns_.compare_exchange_strong(last, now_ns, std::memory_order_relaxed)) {
    fetching_.store(true, std::memory_order_release);
    fetcher_->want_keys(name_);
  }
  return true;
}

void JwtKeys::answer_waiters(uint32_t shard, StreamHandles& streams) noexcept {
  // An answer may make others wait anew.
  const std::vector<Waiter> waiters = std::exchange(shards_[shard].waiters, {});
  for (const Waiter& waiter : waiters) {
    if (Stream* stream = streams.find(waiter.stream)) {
      waiter.who->on_keys(*stream, *waiter.asker);
    }
  }
}

}  // namespace hangu::filter
