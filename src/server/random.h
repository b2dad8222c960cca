// Fast pseudo-random numbers for ids that must be unique, not secret (xoshiro256**, seeded by the
// kernel). One per shard.
#pragma once

#include <sys/random.h>

#include <array>
#include <bit>
#include <cstdint>

#include "hangu/base/assert.h"

namespace hangu::server {

class Random {
 public:
  Random() {
    const auto filled = getrandom(state_.data(), sizeof state_, 0);
    HANGU_ASSERT(filled == static_cast<ssize_t>(sizeof state_));
  }

  uint64_t next() noexcept {
    const uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
    const uint64_t shifted = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= shifted;
    state_[3] = std::rotl(state_[3], 45);
    return result;
  }

 private:
  std::array<uint64_t, 4> state_;
};

}  // namespace hangu::server
