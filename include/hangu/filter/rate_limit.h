// RateLimit: one of `rate_limits`, compiled: whom it concerns, by what it counts, and where. Owned
// by a snapshot, immutable, shared by all shards; what it has counted (RateLimitCounts) outlives
// config generations.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "hangu/config/config.h"
#include "hangu/filter/rate_store.h"
#include "hangu/filter/request_key.h"
#include "hangu/policy/cidr_set.h"
#include "hangu/policy/gcra.h"
#include "hangu/policy/quota_table.h"
#include "hangu/policy/rate_lease.h"
#include "hangu/policy/rate_table.h"
#include "hangu/stats/policy_stats.h"

namespace hangu::filter {

class Stream;

/// What a limit has counted. Which of the tables there are, its `scope` says.
struct RateLimitCounts {
  /// What one shard has for itself; only that shard's thread looks in.
  struct alignas(64) Own {
    std::unique_ptr<policy::ShardRateTable> table;
    std::unique_ptr<policy::RateLeases> leases;
    policy::Gcra rate;  // that they count by
  };

  RateLimitCounts(const config::RateLimit& limit, uint32_t shards, uint64_t hash_seed,
                  std::shared_ptr<stats::RateLimitStats> statistics);

  uint64_t seed;  // random
  std::shared_ptr<stats::RateLimitStats> stats;
  std::unique_ptr<policy::RateTable> table;
  std::unique_ptr<policy::QuotaTable> quota;
  std::vector<Own> own;
};

/// Both clocks, read once for a request.
struct RateTime {
  int64_t mono_ns = 0;
  int64_t unix_s = 0;
};

/// What a limit says about one request.
struct RateVerdict {
  const class RateLimit* limit = nullptr;
  uint64_t key = 0;
  bool allowed = true;
  bool counted = true;       // false: it does not concern the limit
  bool ask = false;          // the store has to say
  bool unavailable = false;  // refused because the store cannot say
  bool shared = false;       // the key has no place of its own
  bool open = false;         // nothing is decided yet
  int64_t left_ns = 0;       // of a bucket; see RateLimit::remaining()
  uint64_t stock = 0;        // of requests, beside that
  int64_t reset_in_ns = 0;   // until all is there again
  int64_t retry_in_ns = 0;   // when refused
  uint64_t cost_told = 1;    // by the response
};

/// What is kept with a stream of the limits that let it pass: while a store is asked, and for what
/// is known at the end. In the stream's arena.
struct RateLimitRound {
  std::span<RateVerdict> verdicts;
  bool waiting = false;
};

class alignas(64) RateLimit {
 public:
  /// Where it counts.
  struct Place {
    uint32_t shards = 1;         // that the rate is split among with `scope: shard`
    RateStore* store = nullptr;  // with `scope: cluster`; outlives the limit
    uint32_t number = 0;         // in the store
  };

  RateLimit(const config::RateLimit& config, std::shared_ptr<RateLimitCounts> counts,
            const Place& place);

  const config::RateLimit& config() const { return config_; }

  /// What one shard, or the node, has of it.
  const policy::Gcra& rate() const { return rate_; }

  /// Whether what a request costs is known only at its end.
  bool deferred() const { return deferred_; }

  /// Whether it does not concern each request.
  bool selective() const { return selective_; }

  bool concerns(const Stream& stream) const noexcept;

  /// Whether it counts in table() alone, and a request as soon as it comes.
  bool plain() const { return node_table_ != nullptr && !deferred_ && !cluster_; }

  /// Whether the store decides.
  bool strict() const { return cluster_ && config_.cluster.mode == config::ClusterMode::kStrict; }

  /// Further requests of cost 1 that would be allowed now.
  uint64_t remaining(const RateVerdict& verdict) const noexcept {
    return rate_.many_of(verdict.left_ns) + verdict.stock;
  }

  /// Whom the request is counted for, if at all, in a verdict that is new; what take() will read is
  /// fetched.
  void look(const Stream& stream, RateVerdict& verdict) const noexcept;
  /// Then, if it is open: takes what the request costs if it is there.
  void take(uint32_t shard, const RateTime& now, RateVerdict& verdict) const noexcept;
  /// The same without the store, when that does not answer; in the place of what was said before.
  void take_without_store(uint32_t shard, const RateTime& now, RateVerdict& verdict) const noexcept;
  /// Undoes what was taken for an allowed request.
  void give_back(uint32_t shard, const RateVerdict& verdict, const RateTime& now) const noexcept;
  /// The request passes: other nodes are to know. Not when the store was asked.
  void commit(uint32_t shard, const RateVerdict& verdict) const noexcept;
  /// What a request has cost in the end.
  void charge(uint32_t shard, uint64_t key, uint64_t cost, const RateTime& now) const noexcept;

  /// To ask the store.
  RateStore::Item item(const RateVerdict& verdict) const noexcept;
  /// What it has answered.
  void hear(RateVerdict& verdict, int64_t full_in_ns, const RateTime& now) const noexcept;

  RateStore* store() const { return store_; }

  const RateLimitCounts& counts() const { return *counts_; }

  /// What all shards share; with `scope: cluster`: what this node knows of the store's counts.
  policy::RateTable& table() const { return *counts_->table; }

  stats::RateLimitSlot& stats(uint32_t shard) const { return slots_[shard]; }

  /// Of the fields RateLimit-Policy and X-RateLimit-Limit.
  const std::string& policy_text() const { return policy_text_; }

  const std::string& burst_text() const { return burst_text_; }

 private:
  using Taken = policy::RateTable::Taken;

  RequestKey::Hashed key_of(const Stream& stream) const noexcept;

  RateLimitCounts::Own& own(uint32_t shard, int64_t now_ns) const noexcept;
  void count(uint32_t shard, const RateTime& now, RateVerdict& verdict) const noexcept;
  Taken count_rate(uint32_t shard, uint64_t key, int64_t now_ns) const noexcept;
  void count_quota(int64_t unix_s, RateVerdict& verdict) const noexcept;

  // What each decision reads, in two lines of cache; the rest is for refusals and for special
  // cases.
  RequestKey key_;
  policy::Gcra rate_;
  uint64_t cost_;                  // when it is fixed
  policy::RateTable* node_table_;  // that alone counts; nullptr: see counts_
  stats::RateLimitSlot* slots_;    // of the shards
  config::MissingKey on_missing_key_;
  bool selective_;
  bool deferred_;
  bool cluster_;
  std::shared_ptr<RateLimitCounts> counts_;

  uint64_t batch_;  // of a lease
  RateStore* store_;
  uint32_t number_;
  config::RateLimit config_;
  policy::CidrSet exempt_;
  std::string policy_text_;
  std::string burst_text_;
};

}  // namespace hangu::filter
