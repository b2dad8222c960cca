// ConcurrencyLimitFilter: lets a request pass when it finds a place in all concurrency limits of
// its route, else answers it. It stands before the rate limits: who finds no place is counted in
// none of them, and whom they refuse gives its places back as every stream does, in on_stream_end.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "hangu/config/config.h"
#include "hangu/filter/filter.h"
#include "hangu/filter/request_key.h"
#include "hangu/policy/cidr_set.h"
#include "hangu/policy/in_flight_table.h"
#include "hangu/stats/policy_stats.h"

namespace hangu::filter {

/// Who holds places in a concurrency limit; outlives config generations. Shared by all shards.
struct ConcurrencyCounts {
  ConcurrencyCounts(size_t keys_max, uint64_t hash_seed,
                    std::shared_ptr<stats::ConcurrencyLimitStats> statistics)
      : table(keys_max),
        seed(hash_seed),
        stats(std::move(statistics)) {}

  policy::InFlightTable table;
  uint64_t seed;  // random
  std::shared_ptr<stats::ConcurrencyLimitStats> stats;
};

/// One of `concurrency_limits`, compiled. Immutable but for its counts.
class ConcurrencyLimit {
 public:
  ConcurrencyLimit(const config::ConcurrencyLimit& config,
                   std::shared_ptr<ConcurrencyCounts> counts);

  const config::ConcurrencyLimit& config() const { return config_; }

  bool exempts(const Stream& stream) const noexcept;

  const RequestKey& key() const { return key_; }

  policy::InFlightTable& table() const { return counts_->table; }

  stats::ConcurrencyLimitSlot& stats(uint32_t shard) const { return counts_->stats->slot(shard); }

  /// Of the fields RateLimit-Policy and RateLimit.
  const std::string& policy_text() const { return policy_text_; }

  const std::string& state_text() const { return state_text_; }

 private:
  config::ConcurrencyLimit config_;
  std::shared_ptr<ConcurrencyCounts> counts_;
  policy::CidrSet exempt_;
  RequestKey key_;
  std::string policy_text_;
  std::string state_text_;
};

/// The places that a stream gives back when it ends; in its arena.
struct HeldPlaces {
  struct One {
    const ConcurrencyLimit* limit;
    policy::InFlightTable::Place* place;
  };

  std::array<One, config::kConcurrencyLimitsMax> places;
  size_t count = 0;
};

class ConcurrencyLimitFilter final : public Filter {
 public:
  /// Not empty.
  explicit ConcurrencyLimitFilter(std::vector<std::shared_ptr<const ConcurrencyLimit>> limits);

  std::string_view name() const override { return "concurrency_limit"; }

  uint8_t hooks() const override { return kRequestHeaders | kStreamEnd; }

  FilterStatus on_request_headers(Stream& stream) const noexcept override;
  void on_stream_end(Stream& stream) const noexcept override;

 private:
  bool pass(Stream& stream, const ConcurrencyLimit& limit, HeldPlaces& held) const noexcept;
  void reject(Stream& stream, const ConcurrencyLimit& limit) const noexcept;

  std::vector<std::shared_ptr<const ConcurrencyLimit>> limits_;
};

}  // namespace hangu::filter
