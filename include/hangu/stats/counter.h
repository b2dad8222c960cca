// Counter and Gauge: numbers that one shard writes and any thread reads. A relaxed load and store,
// no read-modify-write: as cheap as a plain integer, and never torn.
#pragma once

#include <atomic>
#include <cstdint>

namespace hangu::stats {

/// Only grows. Written by one thread.
class Counter {
 public:
  void add(uint64_t n = 1) noexcept {
    value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }

  uint64_t value() const noexcept { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> value_{0};
};

/// Goes up and down. Written by one thread.
class Gauge {
 public:
  void add(uint64_t n = 1) noexcept { set(value() + n); }

  void subtract(uint64_t n = 1) noexcept { set(value() - n); }

  void set(uint64_t value) noexcept { value_.store(value, std::memory_order_relaxed); }

  uint64_t value() const noexcept { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> value_{0};
};

}  // namespace hangu::stats
