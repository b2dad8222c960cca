// HedgeBudget: second tries as a share of the requests, on one shard: each request adds to the
// budget, each second try takes a whole one from it. Pure. One thread.
#pragma once

#include <algorithm>
#include <cstdint>

namespace hangu::policy {

class HedgeBudget {
 public:
  /// So many second tries may follow one another after a time without any.
  static constexpr uint32_t kBurst = 10;

  void add_request(uint32_t percent) noexcept {
    credit_ = std::min(credit_ + percent, kBurst * kWhole);
  }

  bool take() noexcept {
    if (credit_ < kWhole) {
      return false;
    }
    credit_ -= kWhole;
    return true;
  }

 private:
  static constexpr uint32_t kWhole = 100;

  uint32_t credit_ = 0;
};

}  // namespace hangu::policy
