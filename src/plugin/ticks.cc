#include "hangu/plugin/ticks.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace hangu::plugin {
namespace {

#if defined(__x86_64__)
/// Whether the counter has one pace, whatever the processor does (CPUID 80000007h, EDX bit 8).
bool counter_is_even() noexcept {
  constexpr unsigned kLeaf = 0x80000007;
  constexpr unsigned kInvariant = 1U << 8;
  unsigned a = 0;
  unsigned b = 0;
  unsigned c = 0;
  unsigned d = 0;
  return __get_cpuid(kLeaf, &a, &b, &c, &d) == 1 && (d & kInvariant) != 0;
}
#endif

}  // namespace

Ticks Ticks::measured() noexcept {
  Ticks ticks;
#if defined(__x86_64__)
  if (!counter_is_even()) {
    return ticks;
  }
  constexpr uint64_t kMeasuredNs = 1'000'000;
  const uint64_t begun_ns = clock_ns();
  const uint64_t begun = __rdtsc();
  uint64_t passed_ns = 0;
  while (passed_ns < kMeasuredNs) {
    passed_ns = clock_ns() - begun_ns;
  }
  const uint64_t passed = __rdtsc() - begun;
  if (passed > 0) {
    ticks.even_ = true;
    ticks.scale_ = (passed_ns << kShift) / passed;
  }
#endif
  return ticks;
}

}  // namespace hangu::plugin
