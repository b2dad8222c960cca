// RecordRing: a queue of bytes from one producer thread to one consumer thread, without locks. A
// record goes in whole or not at all. The producer is a shard, the consumer the log writer's
// thread.
#pragma once

#include <sys/uio.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

namespace hangu::audit {

// NOLINTNEXTLINE(clang-analyzer-optin.performance.Padding): a line each for the two threads
class RecordRing {
 public:
  /// Rounded up to a power of two.
  explicit RecordRing(size_t bytes);

  /// Producer. False, and counted, when there is no room.
  bool append(std::string_view record) noexcept;

  /// Consumer. What there is, in at most two pieces; returns how many.
  size_t peek(iovec* pieces) const noexcept;
  void consume(size_t bytes) noexcept;

  // Any thread.
  size_t held() const noexcept;

  size_t capacity() const { return mask_ + 1; }

  uint64_t dropped() const noexcept { return dropped_.load(std::memory_order_relaxed); }

 private:
  static constexpr size_t kCacheLine = 64;

  const size_t mask_;
  const std::unique_ptr<char[]> bytes_;
  alignas(kCacheLine) std::atomic<uint64_t> written_{0};  // ever; the producer's
  std::atomic<uint64_t> dropped_{0};
  alignas(kCacheLine) std::atomic<uint64_t> read_{0};  // ever; the consumer's
};

}  // namespace hangu::audit
