// Assertions by risk. Peer input and the operating system's answers are never asserted on.
// HANGU_ASSERT: always on; an invariant whose loss corrupts memory or mixes requests.
// HANGU_DCHECK: debug builds only; costly or local checks.
// HANGU_BUG: true when `condition` holds although it never should; counts it and goes on in
// release, aborts in debug.
#pragma once

#include <cstdint>

namespace hangu {

[[noreturn]] void assertion_failed(const char* expression, const char* file, int line) noexcept;

/// Counts a bug that release builds survive; see HANGU_BUG. Any thread.
void report_bug(const char* expression, const char* file, int line) noexcept;

/// How many HANGU_BUG conditions have held since the process started. Any thread.
uint64_t bug_count() noexcept;

}  // namespace hangu

#define HANGU_ASSERT(condition)                      \
  (__builtin_expect(static_cast<bool>(condition), 1) \
       ? static_cast<void>(0)                        \
       : ::hangu::assertion_failed(#condition, __FILE__, __LINE__))

#ifdef NDEBUG
#define HANGU_DCHECK(condition) static_cast<void>(sizeof(static_cast<bool>(condition)))
#else
#define HANGU_DCHECK(condition) HANGU_ASSERT(condition)
#endif

#define HANGU_BUG(condition)                            \
  (__builtin_expect(static_cast<bool>(condition), 0) && \
   (::hangu::report_bug(#condition, __FILE__, __LINE__), true))
