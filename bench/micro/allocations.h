// Allocations: how often the measured code asks for memory, for paths that must not. Replaces the
// global operators, which may be done once: to be included by the one file that a bench is made of.
// Any thread.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>

#include <benchmark/benchmark.h>

namespace hangu::bench {

inline std::atomic<uint64_t> allocations{0};

/// Tells the allocations of its life as a counter of the benchmark, for each iteration. With
/// several threads a few millionths are those of starting the others.
class Allocations {
 public:
  explicit Allocations(benchmark::State& state)
      : state_(state),
        before_(allocations) {}

  Allocations(const Allocations&) = delete;
  Allocations& operator=(const Allocations&) = delete;

  ~Allocations() {
    state_.counters["allocations"] = benchmark::Counter(static_cast<double>(allocations - before_),
                                                        benchmark::Counter::kAvgIterations);
  }

 private:
  benchmark::State& state_;
  uint64_t before_;
};

}  // namespace hangu::bench

void* operator new(size_t size) {
  hangu::bench::allocations.fetch_add(1, std::memory_order_relaxed);
  if (void* const memory = std::malloc(size)) {
    return memory;
  }
  std::abort();
}

void* operator new(size_t size, std::align_val_t alignment) {
  hangu::bench::allocations.fetch_add(1, std::memory_order_relaxed);
  const auto unit = static_cast<size_t>(alignment);
  if (void* const memory = std::aligned_alloc(unit, (size + unit - 1) / unit * unit)) {
    return memory;
  }
  std::abort();
}

void operator delete(void* memory) noexcept {
  std::free(memory);
}

void operator delete(void* memory, size_t /*size*/) noexcept {
  std::free(memory);
}

void operator delete(void* memory, std::align_val_t /*alignment*/) noexcept {
  std::free(memory);
}

void operator delete(void* memory, size_t /*size*/, std::align_val_t /*alignment*/) noexcept {
  std::free(memory);
}
