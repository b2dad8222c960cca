// LockoutTable: who has shown wrong credentials lately, and is not heard for a while. A place has
// four keys that may take it; the one that is of the least interest makes room, so memory is
// bounded and nobody can push a locked key out with less than three others that are locked as well.
// Pure; the caller brings the time and sees to it that one thread at a time is in here.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "hangu/base/clock.h"

namespace hangu::policy {

class LockoutTable {
 public:
  struct Rules {
    uint32_t attempts = 5;  // wrong ones; 0: no limit
    Duration window{};      // in which they count, and how long the lockout lasts
  };

  /// For `keys`, rounded up to a power of two.
  explicit LockoutTable(size_t keys);

  /// From now on; 0: not locked.
  Duration locked_for(uint64_t key, const Rules& rules, TimePoint now) const noexcept;

  void fail(uint64_t key, const Rules& rules, TimePoint now) noexcept;

  /// Forgets what was wrong.
  void succeed(uint64_t key) noexcept;

 private:
  static constexpr size_t kWays = 4;

  struct Place {
    uint64_t key = 0;
    uint32_t failures = 0;  // 0: free
    TimePoint until{};      // they count no more
  };

  using Set = std::array<Place, kWays>;

  Place& place_for(uint64_t key, TimePoint now) noexcept;

  std::vector<Set> sets_;
  uint64_t mask_;
};

}  // namespace hangu::policy
