#include "hangu/policy/rate_lease.h"

#include <algorithm>

namespace hangu::policy {

uint64_t lease_batch(uint64_t count, int64_t per_ns) noexcept {
  constexpr double kLeaseNs = 10e6;
  const double batch = static_cast<double>(count) * kLeaseNs / static_cast<double>(per_ns);
  return std::clamp<uint64_t>(static_cast<uint64_t>(std::min(batch, 1e9)), 1, kLeaseMax);
}

RateLeases::RateLeases()
    : sets_(std::make_unique<Set[]>(kSets)) {}

/// The lease of the key; of another key when there is none, whose stock goes back.
RateLeases::Lease& RateLeases::find(RateTable& table, uint64_t key, const Gcra& rate,
                                    int64_t now_ns) noexcept {
  Set& set = sets_[(key >> 32) % kSets];
  Lease* oldest = set.data();
  for (Lease& lease : set) {
    if (lease.key == key) {
      return lease;
    }
    oldest = takes_ - lease.used_at > takes_ - oldest->used_at ? &lease : oldest;
  }
  if (oldest->left != 0) {
    table.give_back(oldest->key, rate, oldest->left, now_ns);
  }
  *oldest = {.key = key};
  return *oldest;
}

RateTable::Taken RateLeases::take(RateTable& table, const Wanted& wanted, const Gcra& rate,
                                  int64_t now_ns) noexcept {
  const auto [key, cost, batch] = wanted;
  if (cost > batch || batch == 1) {
    return table.take(key, rate, cost, now_ns);
  }
  Lease& lease = find(table, key, rate, now_ns);
  lease.used_at = ++takes_;
  if (lease.left >= cost) {
    lease.left -= static_cast<uint32_t>(cost);
    return {.decision = {.allowed = true, .full_at_ns = lease.full_at_ns, .left_ns = lease.left_ns},
            .stock = lease.left};
  }
  RateTable::Taken taken = table.take(key, rate, batch, now_ns);
  if (taken.shared) {  // of many keys: no stock for one of them
    table.give_back(key, rate, taken.decision.allowed ? batch : 0, now_ns);
    return table.take(key, rate, cost, now_ns);
  }
  if (taken.decision.allowed) {
    lease.left += static_cast<uint32_t>(batch - cost);
  } else {
    taken = table.take(key, rate, cost - lease.left, now_ns);
    lease.left = taken.decision.allowed ? 0 : lease.left;
  }
  lease.full_at_ns = taken.decision.full_at_ns;
  lease.left_ns = taken.decision.left_ns;
  taken.stock = lease.left;
  return taken;
}

}  // namespace hangu::policy
