// RateLimitFilter: lets a request pass when all rate limits of its route do, else answers it.
// Counts in none of them then.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "hangu/config/config.h"
#include "hangu/filter/filter.h"
#include "hangu/filter/request_key.h"
#include "hangu/policy/cidr_set.h"
#include "hangu/policy/gcra.h"
#include "hangu/policy/rate_table.h"
#include "hangu/stats/policy_stats.h"

namespace hangu::filter {

/// What a rate limit has counted; outlives config generations. Shared by all shards.
struct RateLimitCounts {
  RateLimitCounts(size_t keys_max, uint64_t hash_seed,
                  std::shared_ptr<stats::RateLimitStats> statistics)
      : table(keys_max),
        seed(hash_seed),
        stats(std::move(statistics)) {}

  policy::RateTable table;
  uint64_t seed;  // random
  std::shared_ptr<stats::RateLimitStats> stats;
};

/// One of `rate_limits`, compiled. Immutable but for its counts.
class RateLimit {
 public:
  RateLimit(const config::RateLimit& config, std::shared_ptr<RateLimitCounts> counts);

  const config::RateLimit& config() const { return config_; }

  bool exempts(const Stream& stream) const noexcept;

  const RequestKey& key() const { return key_; }

  const policy::Gcra& rate() const { return rate_; }

  policy::RateTable& table() const { return counts_->table; }

  stats::RateLimitSlot& stats(uint32_t shard) const { return counts_->stats->slot(shard); }

  /// Of the fields RateLimit-Policy and X-RateLimit-Limit.
  const std::string& policy_text() const { return policy_text_; }

  const std::string& burst_text() const { return burst_text_; }

 private:
  config::RateLimit config_;
  std::shared_ptr<RateLimitCounts> counts_;
  policy::Gcra rate_;
  policy::CidrSet exempt_;
  RequestKey key_;
  std::string policy_text_;
  std::string burst_text_;
};

class RateLimitFilter final : public Filter {
 public:
  /// Not empty.
  explicit RateLimitFilter(std::vector<std::shared_ptr<const RateLimit>> limits);

  std::string_view name() const override { return "rate_limit"; }

  uint8_t hooks() const override;

  FilterStatus on_request_headers(Stream& stream) const noexcept override;
  FilterStatus on_response_headers(Stream& stream) const noexcept override;

 private:
  /// What a limit said about one request.
  struct Verdict {
    const RateLimit* limit = nullptr;
    uint64_t key = 0;
    policy::Gcra::Decision decision;
  };

  static constexpr size_t kLimitsMax = 16;  // of a route

  bool pass(Stream& stream, const RateLimit& limit, Verdict& verdict) const noexcept;
  void reject(Stream& stream, const Verdict& verdict) const noexcept;

  std::vector<std::shared_ptr<const RateLimit>> limits_;
  bool on_all_ = false;  // responses there are fields
};

}  // namespace hangu::filter
