#include "hangu/audit/record_ring.h"

#include <algorithm>
#include <bit>

namespace hangu::audit {

// The bytes are touched only as they are used: a large ring costs address space, not memory.
RecordRing::RecordRing(size_t bytes)
    : mask_(std::bit_ceil(std::max<size_t>(bytes, 4096)) - 1),
      bytes_(std::make_unique_for_overwrite<char[]>(mask_ + 1)) {}

bool RecordRing::append(std::string_view record) noexcept {
  const uint64_t written = written_.load(std::memory_order_relaxed);
  const uint64_t read = read_.load(std::memory_order_acquire);
  if (capacity() - (written - read) < record.size()) {
    dropped_.store(dropped() + 1, std::memory_order_relaxed);
    return false;
  }
  const size_t position = written & mask_;
  const size_t first = std::min(record.size(), capacity() - position);
  std::copy_n(record.data(), first, bytes_.get() + position);
  std::copy_n(record.data() + first, record.size() - first, bytes_.get());
  written_.store(written + record.size(), std::memory_order_release);
  return true;
}

size_t RecordRing::peek(iovec* pieces) const noexcept {
  const uint64_t read = read_.load(std::memory_order_relaxed);
  const size_t bytes = written_.load(std::memory_order_acquire) - read;
  if (bytes == 0) {
    return 0;
  }
  const size_t position = read & mask_;
  const size_t first = std::min(bytes, capacity() - position);
  pieces[0] = {.iov_base = bytes_.get() + position, .iov_len = first};
  if (first == bytes) {
    return 1;
  }
  pieces[1] = {.iov_base = bytes_.get(), .iov_len = bytes - first};
  return 2;
}

void RecordRing::consume(size_t bytes) noexcept {
  read_.store(read_.load(std::memory_order_relaxed) + bytes, std::memory_order_release);
}

size_t RecordRing::held() const noexcept {
  // In this order, lest a third thread sees more read than written.
  const uint64_t read = read_.load(std::memory_order_acquire);
  return written_.load(std::memory_order_acquire) - read;
}

}  // namespace hangu::audit
