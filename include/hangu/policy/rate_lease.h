// RateLeases: one shard's small stock taken from the RateTable that all shards share: of a key that
// is in much demand it takes a batch at once and hands it out without touching what others touch.
// Since each shard may hold up to a batch less one of a key, over any time a key gets at most
// `burst + rate·t + shards·(batch - 1)`. One thread.
#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "hangu/policy/rate_table.h"

namespace hangu::policy {

inline constexpr uint64_t kLeaseMax = 64;

/// What a hundredth of a second allows, from 1 (which makes a lease exact) to kLeaseMax.
uint64_t lease_batch(uint64_t count, int64_t per_ns) noexcept;

class RateLeases {
 public:
  struct Wanted {
    uint64_t key = 0;
    uint64_t cost = 1;
    uint64_t batch = 1;  // to take of the table at once
  };

  RateLeases();

  RateTable::Taken take(RateTable& table, const Wanted& wanted, const Gcra& rate,
                        int64_t now_ns) noexcept;

 private:
  static constexpr size_t kSets = 256;
  static constexpr size_t kWays = 4;

  struct Lease {
    uint64_t key = 0;
    int64_t full_at_ns = 0;  // of the shared bucket, when we last took of it
    int64_t left_ns = 0;     // in it, then
    uint32_t left = 0;       // to hand out
    uint32_t used_at = 0;    // counts takes
  };

  using Set = std::array<Lease, kWays>;

  Lease& find(RateTable& table, uint64_t key, const Gcra& rate, int64_t now_ns) noexcept;

  std::unique_ptr<Set[]> sets_;
  uint32_t takes_ = 0;
};

}  // namespace hangu::policy
