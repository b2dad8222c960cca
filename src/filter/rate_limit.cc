#include "hangu/filter/rate_limit.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "hangu/filter/stream.h"
#include "hangu/policy/calendar.h"

namespace hangu::filter {
namespace {

constexpr int64_t kSecondNs = 1'000'000'000;

uint64_t burst_of(const config::RateLimit& config) {
  if (config.burst != 0) {
    return config.burst;
  }
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(config.rate.per).count();
  return std::max<uint64_t>(config.rate.count / static_cast<uint64_t>(seconds), 1);
}

/// What one shard has of the rate, or the node.
policy::Gcra rate_of(const config::RateLimit& config, uint32_t shards) {
  if (config.quota.limit != 0) {
    return {1, 1, 1};
  }
  const uint32_t parts = config.scope == config::RateScope::kShard ? shards : 1;
  const uint64_t burst = (burst_of(config) + parts - 1) / parts;
  return {config.rate.count, config.rate.per.count() * parts, std::max(burst, config.cost.fixed)};
}

std::string policy_text_of(const config::RateLimit& config) {
  constexpr int64_t kDay = 24 * 3600;
  const bool bytes = config.cost.kind != config::RateCost::Kind::kFixed &&
                     config.cost.kind != config::RateCost::Kind::kResponseHeader;
  const std::string_view unit = bytes ? ";qu=\"content-bytes\"" : "";
  if (config.quota.limit != 0) {
    const int64_t window = config.quota.per == config::QuotaPeriod::kDay ? kDay : 30 * kDay;
    return fmt::format("\"{}\";q={}{};w={}", config.name, config.quota.limit, unit, window);
  }
  // What is left may be more than what a window of the rate brings: then the window in which the
  // whole burst comes back.
  const auto window = std::chrono::duration_cast<std::chrono::seconds>(config.rate.per).count();
  const uint64_t burst = burst_of(config);
  const uint64_t count = config.rate.count;
  if (burst <= count) {
    return fmt::format("\"{}\";q={}{};w={}", config.name, count, unit, window);
  }
  const auto burst_window = static_cast<double>(burst) / static_cast<double>(count);
  return fmt::format("\"{}\";q={}{};w={:.0f}", config.name, burst, unit,
                     std::ceil(burst_window * static_cast<double>(window)));
}

/// On segment borders.
bool is_below(std::string_view path, std::string_view prefix) {
  if (prefix.ends_with('/')) {
    prefix.remove_suffix(1);
  }
  return path.starts_with(prefix) && (path.size() == prefix.size() || path[prefix.size()] == '/');
}

bool is_preflight(const http::RequestHead& request) {
  return request.method == http::Method::kOptions &&
         request.headers.find(http::HeaderName::kOrigin) != nullptr &&
         request.headers.find("access-control-request-method") != nullptr;
}

}  // namespace

RateLimitCounts::RateLimitCounts(const config::RateLimit& limit, uint32_t shards,
                                 uint64_t hash_seed,
                                 std::shared_ptr<stats::RateLimitStats> statistics)
    : seed(hash_seed),
      stats(std::move(statistics)) {
  if (limit.quota.limit != 0) {
    quota = std::make_unique<policy::QuotaTable>(limit.keys_max);
  } else if (limit.scope != config::RateScope::kShard) {
    table = std::make_unique<policy::RateTable>(limit.keys_max);
  }
  const bool leases = limit.accuracy == config::RateAccuracy::kLease;
  if (leases || limit.scope == config::RateScope::kShard) {
    for (uint32_t i = 0; i < shards; ++i) {
      own.push_back({.rate = rate_of(limit, shards)});
      if (leases) {
        own.back().leases = std::make_unique<policy::RateLeases>();
      } else {
        own.back().table = std::make_unique<policy::ShardRateTable>(limit.keys_max / shards + 1);
      }
    }
  }
}

RateLimit::RateLimit(const config::RateLimit& config, std::shared_ptr<RateLimitCounts> counts,
                     const Place& place)
    : key_(config.key, {config.ipv4_prefix, config.ipv6_prefix}, counts->seed),
      rate_(rate_of(config, place.shards)),
      cost_(config.cost.fixed),
      node_table_(counts->own.empty() ? counts->table.get() : nullptr),
      slots_(&counts->stats->slot(0)),
      on_missing_key_(config.on_missing_key),
      selective_(config.match != config::RateMatch{} || !config.exempt.empty()),
      deferred_(config.cost.kind != config::RateCost::Kind::kFixed),
      cluster_(config.scope == config::RateScope::kCluster),
      counts_(std::move(counts)),
      batch_(policy::lease_batch(config.rate.count, config.rate.per.count())),
      store_(place.store),
      number_(place.number),
      config_(config),
      exempt_(config.exempt),
      policy_text_(policy_text_of(config)),
      burst_text_(std::to_string(config.quota.limit != 0 ? config.quota.limit : burst_of(config))) {
}

bool RateLimit::concerns(const Stream& stream) const noexcept {
  const http::RequestHead& request = stream.request;
  const config::RateMatch& match = config_.match;
  if (!match.methods.empty() && std::find(match.methods.begin(), match.methods.end(),
                                          request.method_text) == match.methods.end()) {
    return false;
  }
  if ((!match.path_exact.empty() && request.path != match.path_exact) ||
      (!match.path_prefix.empty() && !is_below(request.path, match.path_prefix)) ||
      (match.skip_preflight && is_preflight(request))) {
    return false;
  }
  return exempt_.empty() || !exempt_.contains(stream.info.client_ip);
}

/// A store may come back with another seed, and so do restored quotas.
RequestKey::Hashed RateLimit::key_of(const Stream& stream) const noexcept {
  if (node_table_ != nullptr && !cluster_) {
    return key_.of(stream);
  }
  return key_.of(stream, cluster_ ? store_->seed() : counts_->seed);
}

void RateLimit::look(const Stream& stream, RateVerdict& verdict) const noexcept {
  verdict.limit = this;
  if (selective_ && !concerns(stream)) {
    verdict.counted = false;
    return;
  }
  const RequestKey::Hashed key = key_of(stream);
  verdict.key = key.hash;
  if (!key.whole && on_missing_key_ == config::MissingKey::kSkip) {
    verdict.counted = false;
  } else if (!key.whole && on_missing_key_ == config::MissingKey::kDeny) {
    verdict.allowed = false;
    verdict.retry_in_ns = kSecondNs;
  } else {
    verdict.open = true;
    if (node_table_ != nullptr) {
      node_table_->prefetch(key.hash);
    }
  }
}

void RateLimit::take(uint32_t shard, const RateTime& now, RateVerdict& verdict) const noexcept {
  verdict.open = false;
  if (cluster_ && !store_->up()) {
    take_without_store(shard, now, verdict);
    return;
  }
  if (!strict()) {
    count(shard, now, verdict);
    return;
  }
  // What the store has said of a key holds until it is full again: who has to wait need not ask.
  const Taken known = counts_->table->probe(verdict.key, rate_, cost_, now.mono_ns);
  verdict.allowed = known.decision.allowed;
  verdict.ask = known.decision.allowed;
  verdict.retry_in_ns = known.decision.retry_in_ns;
}

void RateLimit::take_without_store(uint32_t shard, const RateTime& now,
                                   RateVerdict& verdict) const noexcept {
  stats(shard).without_store.add();
  verdict = {.limit = this, .key = verdict.key};
  switch (config_.cluster.on_store_error) {
    case config::OnStoreError::kAllow: verdict.counted = false; return;
    case config::OnStoreError::kDeny:
      verdict.allowed = false;
      verdict.unavailable = true;
      verdict.retry_in_ns = kSecondNs;
      return;
    case config::OnStoreError::kLocal: break;
  }
  count(shard, now, verdict);
}

void RateLimit::count(uint32_t shard, const RateTime& now, RateVerdict& verdict) const noexcept {
  if (node_table_ == nullptr && counts_->quota != nullptr) {
    count_quota(now.unix_s, verdict);
    return;
  }
  const Taken taken = count_rate(shard, verdict.key, now.mono_ns);
  verdict.allowed = taken.decision.allowed;
  verdict.shared = taken.shared;
  verdict.left_ns = taken.decision.left_ns;
  verdict.stock = taken.stock;
  verdict.reset_in_ns = taken.decision.full_at_ns - now.mono_ns;
  verdict.retry_in_ns = taken.decision.retry_in_ns;
}

/// The shard's own part, brought to the rate of this limit.
RateLimitCounts::Own& RateLimit::own(uint32_t shard, int64_t now_ns) const noexcept {
  RateLimitCounts::Own& own = counts_->own[shard];
  if (own.table != nullptr && own.rate != rate_) {
    own.table->rescale(own.rate, rate_, now_ns);
    own.rate = rate_;
  }
  return own;
}

RateLimit::Taken RateLimit::count_rate(uint32_t shard, uint64_t key,
                                       int64_t now_ns) const noexcept {
  if (node_table_ != nullptr) {
    return deferred_ ? node_table_->probe(key, rate_, 1, now_ns)
                     : node_table_->take(key, rate_, cost_, now_ns);
  }
  if (counts_->table == nullptr) {
    policy::ShardRateTable& table = *own(shard, now_ns).table;
    return deferred_ ? table.probe(key, rate_, 1, now_ns) : table.take(key, rate_, cost_, now_ns);
  }
  policy::RateLeases& leases = *own(shard, now_ns).leases;
  return deferred_ ? counts_->table->probe(key, rate_, 1, now_ns)
                   : leases.take(*counts_->table, {key, cost_, batch_}, rate_, now_ns);
}

void RateLimit::count_quota(int64_t unix_s, RateVerdict& verdict) const noexcept {
  const uint64_t limit = config_.quota.limit;
  const policy::CalendarWindow window = policy::calendar_window(config_.quota, unix_s);
  policy::QuotaTable& table = *counts_->quota;
  const policy::QuotaTable::Taken taken =
      deferred_ ? table.probe(verdict.key, window.number, limit, 1)
                : table.take(verdict.key, window.number, limit, cost_);
  const int64_t left_ns = (window.ends_at_s - unix_s) * kSecondNs;
  verdict.allowed = taken.allowed;
  verdict.shared = taken.shared;
  verdict.stock = limit - std::min(taken.used, limit);
  verdict.reset_in_ns = left_ns;
  verdict.retry_in_ns = left_ns;
}

void RateLimit::give_back(uint32_t shard, const RateVerdict& verdict,
                          const RateTime& now) const noexcept {
  if (deferred() || verdict.ask || !verdict.counted || !verdict.allowed) {
    return;
  }
  if (counts_->quota != nullptr) {
    const policy::CalendarWindow window = policy::calendar_window(config_.quota, now.unix_s);
    counts_->quota->give_back(verdict.key, window.number, cost_);
  } else if (counts_->table != nullptr) {
    counts_->table->give_back(verdict.key, rate_, cost_, now.mono_ns);
  } else {
    own(shard, now.mono_ns).table->give_back(verdict.key, rate_, cost_, now.mono_ns);
  }
}

void RateLimit::commit(uint32_t shard, const RateVerdict& verdict) const noexcept {
  if (cluster_ && !deferred() && verdict.counted && !verdict.ask) {
    store_->add(shard, item(verdict));
  }
}

void RateLimit::charge(uint32_t shard, uint64_t key, uint64_t cost,
                       const RateTime& now) const noexcept {
  if (cost == 0) {
    return;
  }
  if (counts_->quota != nullptr) {
    const policy::CalendarWindow window = policy::calendar_window(config_.quota, now.unix_s);
    counts_->quota->charge(key, window.number, cost);
  } else if (counts_->table != nullptr) {
    counts_->table->charge(key, rate_, cost, now.mono_ns);
  } else {
    own(shard, now.mono_ns).table->charge(key, rate_, cost, now.mono_ns);
  }
  if (cluster_) {
    store_->add(shard, {.limit = number_, .key = key, .cost = cost});
  }
}

RateStore::Item RateLimit::item(const RateVerdict& verdict) const noexcept {
  return {.limit = number_,
          .key = verdict.key,
          .cost = cost_,
          .takes = !deferred(),
          .binding = config_.mode == config::Mode::kEnforce};
}

void RateLimit::hear(RateVerdict& verdict, int64_t full_in_ns, const RateTime& now) const noexcept {
  // If it was taken, this is the state after that: what is left of the bucket decides either way.
  const int64_t full_at_ns = now.mono_ns + full_in_ns;
  counts_->table->raise(verdict.key, full_at_ns, now.mono_ns);
  verdict.reset_in_ns = full_in_ns;
  verdict.left_ns = rate_.decide(full_at_ns, now.mono_ns, 0).left_ns;
  if (!verdict.allowed) {
    verdict.retry_in_ns = rate_.decide(full_at_ns, now.mono_ns, cost_).retry_in_ns;
  }
}

}  // namespace hangu::filter
