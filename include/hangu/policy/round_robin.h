// RoundRobin: whose turn it is. One shard.
#pragma once

#include <cstddef>

namespace hangu::policy {

class RoundRobin {
 public:
  /// The next index below `count`, which is not 0 and may change between calls.
  size_t next(size_t count) noexcept {
    if (position_ >= count) {
      position_ = 0;
    }
    return position_++;
  }

 private:
  size_t position_ = 0;
};

}  // namespace hangu::policy
