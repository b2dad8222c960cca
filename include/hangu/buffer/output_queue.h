// OutputQueue: the bytes that wait to be sent on one connection, in order, as slices of blocks.
// Small pieces are copied behind one another into a block of the queue's own: one piece to send is
// cheaper than two, and a received block is free again at once. Bytes that are under way to the
// kernel stay at the front until consume(). Nothing is allocated in steady state; an empty queue is
// small. One thread.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "hangu/buffer/block.h"

namespace hangu::buffer {

class OutputQueue {
 public:
  explicit OutputQueue(BlockPool& small)
      : small_(small) {}

  OutputQueue(const OutputQueue&) = delete;
  OutputQueue& operator=(const OutputQueue&) = delete;

  /// Takes a reference, or a copy when the slice is at most kCopyBytesMax and fits the copy block.
  void append(Slice&& slice);

  /// `bytes` lives as long as the process.
  void append_static(std::string_view bytes) { append(Slice{{}, bytes.data(), size_of(bytes)}); }

  void append_copy(std::string_view bytes);

  size_t bytes() const { return bytes_; }

  bool empty() const { return bytes_ == 0; }

  struct Filled {
    size_t count;
    size_t bytes;
  };

  /// Fills up to `max` entries with the first bytes of the queue, stopping at the piece that
  /// reaches `bytes_max`; returns how many and their total.
  Filled fill(iovec* vector, size_t max, size_t bytes_max = SIZE_MAX);

  /// Takes the first piece off, at most `bytes_max` of it; not of an empty queue.
  Slice take_front(size_t bytes_max);

  /// Drops the first `bytes`: they are sent.
  void consume(size_t bytes);
  void clear();

 private:
  static constexpr uint32_t kInline = 4;  // a power of two
  static constexpr uint32_t kCopyBytesMax = 1536;

  static uint32_t size_of(std::string_view bytes) { return static_cast<uint32_t>(bytes.size()); }

  Slice& at(uint32_t position) { return slots()[(first_ + position) & (capacity_ - 1)]; }

  Slice* slots() { return grown_ != nullptr ? grown_.get() : inline_; }

  bool merge_into_last(const Slice& slice);
  void push(Slice&& slice);
  void drop_front();
  void grow();
  void shrink_if_empty();

  BlockPool& small_;
  Slice inline_[kInline];
  std::unique_ptr<Slice[]> grown_;
  uint32_t capacity_ = kInline;
  uint32_t first_ = 0;
  uint32_t count_ = 0;
  size_t bytes_ = 0;
  BlockRef tail_;  // the block that copies go to; written by this queue alone
  uint32_t tail_used_ = 0;
};

}  // namespace hangu::buffer
