// Ticks: the cheapest clock there is for the time within a call: the time stamp counter where it
// runs evenly (a few nanoseconds), else the kernel's clock. It goes on while a thread waits for the
// processor. Pure; any thread.
#pragma once

#include <cstdint>
#include <ctime>

#if defined(__x86_64__)
#include <x86intrin.h>
#endif

namespace hangu::plugin {

class Ticks {
 public:
  /// Takes a millisecond: it compares the counter with the kernel's clock.
  static Ticks measured() noexcept;

  uint64_t now() const noexcept {
#if defined(__x86_64__)
    return even_ ? __rdtsc() : clock_ns();
#else
    return clock_ns();
#endif
  }

  uint64_t to_ns(uint64_t ticks) const noexcept {
    return (ticks * scale_) >> kShift;
  }

 private:
  static constexpr unsigned kShift = 16;

  static uint64_t clock_ns() noexcept {
    timespec time{};
    ::clock_gettime(CLOCK_MONOTONIC, &time);
    return static_cast<uint64_t>(time.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(time.tv_nsec);
  }

  uint64_t scale_ = uint64_t{1} << kShift;  // nanoseconds a tick, times 2^kShift
  bool even_ = false;
};

}  // namespace hangu::plugin
