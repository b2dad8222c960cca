#include "hangu/base/assert.h"

#include <atomic>
#include <cstdio>
#include <cstdlib>

namespace hangu {
namespace {

std::atomic<uint64_t> bugs{0};

}  // namespace

void assertion_failed(const char* expression, const char* file, int line) noexcept {
  std::fprintf(stderr, "hangu: assertion failed: %s at %s:%d\n", expression, file, line);
  std::abort();
}

void report_bug(const char* expression, const char* file, int line) noexcept {
  bugs.fetch_add(1, std::memory_order_relaxed);
#ifdef NDEBUG
  static_cast<void>(expression);
  static_cast<void>(file);
  static_cast<void>(line);
#else
  assertion_failed(expression, file, line);
#endif
}

uint64_t bug_count() noexcept {
  return bugs.load(std::memory_order_relaxed);
}

}  // namespace hangu
