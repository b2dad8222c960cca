#include "hangu/filter/quick_rate_limits.h"

#include <array>

#include "hangu/filter/stream.h"

namespace hangu::filter {

QuickRateLimits::QuickRateLimits(Limits limits) {
  for (const auto& limit : limits) {
    const config::RateLimit& config = limit->config();
    const auto key =
        limit->plain()
            ? keys_.add(config.key, {config.ipv4_prefix, config.ipv6_prefix}, limit->counts().seed)
            : std::nullopt;
    if (!key) {
      rows_.clear();
      return;
    }
    const bool alone = limit->counts().stats->slots().size() == 1;
    const bool shares = config.on_missing_key == config::MissingKey::kShare;
    rows_.push_back({.quick = {limit->table(), limit->rate(), config.cost.fixed, alone},
                     .slots = &limit->stats(0),
                     .limit = limit.get(),
                     .key = *key,
                     .on_missing_key = config.on_missing_key,
                     .selective = limit->selective(),
                     .special = limit->selective() || !shares});
  }
}

bool QuickRateLimits::admit(const Stream& stream, int64_t now_ns) const noexcept {
  const std::span<const Row> rows(rows_);
  if (rows.empty()) {
    return false;
  }
  for (const Row& row : rows) {
    __builtin_prefetch(&row);
  }
  const RequestKeys::Hashed keys(keys_, stream);
  const uint32_t shard = stream.shard().shard();
  std::array<Set, config::kRateLimitsMax> sets;  // as many as there are rows
  for (size_t i = 0; i < rows.size(); ++i) {
    sets[i] = rows[i].quick.approach(keys.hash(rows[i].key));
    __builtin_prefetch(&rows[i].slots[shard], 1);
  }
  uint32_t taken = 0;  // a bit for each limit
  for (size_t i = 0; i < rows.size(); ++i) {
    const Said said = ask(rows[i], sets[i], stream, keys, now_ns);
    if (said == Said::kAskAgain) {
      for_each(taken, [&](const Row& row) { give_back(*row.limit, keys.hash(row.key), now_ns); });
      return false;
    }
    taken |= uint32_t{said == Said::kTaken} << i;
  }
  count(taken, shard);
  return true;
}

/// Most often all of them.
void QuickRateLimits::count(uint32_t taken, uint32_t shard) const noexcept {
  if (taken == (uint32_t{1} << rows_.size()) - 1) {
    for (const Row& row : rows_) {
      row.slots[shard].allowed.add();
    }
  } else {
    for_each(taken, [shard](const Row& row) { row.slots[shard].allowed.add(); });
  }
}

QuickRateLimits::Said QuickRateLimits::ask(const Row& row, Set set, const Stream& stream,
                                           const RequestKeys::Hashed& keys,
                                           int64_t now_ns) noexcept {
  if (row.special) {
    if (row.selective && !row.limit->concerns(stream)) {
      return Said::kNoConcern;
    }
    if (row.on_missing_key != config::MissingKey::kShare && !keys.whole(row.key)) {
      return row.on_missing_key == config::MissingKey::kSkip ? Said::kNoConcern : Said::kAskAgain;
    }
  }
  using Quickly = policy::RateTable::Quick::Said;
  const uint64_t key = keys.hash(row.key);
  const Quickly said = row.quick.take(set, key, now_ns);
  const bool taken =
      said == Quickly::kTaken || (said == Quickly::kUnknown && take_anew(*row.limit, key, now_ns));
  return taken ? Said::kTaken : Said::kAskAgain;
}

/// Of a key that is not where keys are looked for first. False: there is none, or not for it alone.
bool QuickRateLimits::take_anew(const RateLimit& limit, uint64_t key, int64_t now_ns) noexcept {
  const policy::RateTaken taken =
      limit.table().take(key, limit.rate(), limit.config().cost.fixed, now_ns);
  if (taken.decision.allowed && taken.shared) {
    give_back(limit, key, now_ns);
  }
  return taken.decision.allowed && !taken.shared;
}

void QuickRateLimits::give_back(const RateLimit& limit, uint64_t key, int64_t now_ns) noexcept {
  limit.table().give_back(key, limit.rate(), limit.config().cost.fixed, now_ns);
}

}  // namespace hangu::filter
