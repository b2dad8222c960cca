#include "hangu/buffer/output_queue.h"

#include <algorithm>
#include <cstring>

namespace hangu::buffer {
namespace {

// A ring that grew beyond this is given back when it runs empty.
constexpr uint32_t kKeepSlots = 16;
constexpr size_t kHeapTailBytesMin = 512;

}  // namespace

void OutputQueue::append(Slice&& slice) {
  if (slice.size == 0 || merge_into_last(slice)) {
    return;
  }
  if (slice.size <= kCopyBytesMax && (!tail_ || slice.size <= tail_->capacity() - tail_used_)) {
    append_copy(slice.view());
  } else {
    push(std::move(slice));
  }
}

/// Whether the slice follows the last one in memory, in the same block.
bool OutputQueue::merge_into_last(const Slice& slice) {
  if (count_ == 0 || !slice.block) {
    return false;
  }
  Slice& last = at(count_ - 1);
  if (last.block != slice.block || last.data + last.size != slice.data) {
    return false;
  }
  last.size += slice.size;
  bytes_ += slice.size;
  return true;
}

void OutputQueue::append_copy(std::string_view bytes) {
  while (!bytes.empty()) {
    if (!tail_ || tail_used_ == tail_->capacity()) {
      tail_ = small_.acquire();
      if (!tail_) {
        tail_ = BlockRef::on_heap(std::max(bytes.size(), kHeapTailBytesMin));
      }
      tail_used_ = 0;
    }
    const size_t part = std::min<size_t>(bytes.size(), tail_->capacity() - tail_used_);
    char* target = tail_->data() + tail_used_;
    std::memcpy(target, bytes.data(), part);
    tail_used_ += static_cast<uint32_t>(part);
    Slice copied{tail_, target, static_cast<uint32_t>(part)};
    if (!merge_into_last(copied)) {
      push(std::move(copied));
    }
    bytes.remove_prefix(part);
  }
}

void OutputQueue::push(Slice&& slice) {
  if (count_ == capacity_) {
    grow();
  }
  bytes_ += slice.size;
  at(count_++) = std::move(slice);
}

void OutputQueue::grow() {
  auto larger = std::make_unique<Slice[]>(size_t{capacity_} * 2);
  for (uint32_t i = 0; i < count_; ++i) {
    larger[i] = std::move(at(i));
  }
  grown_ = std::move(larger);
  first_ = 0;
  capacity_ *= 2;
}

OutputQueue::Filled OutputQueue::fill(iovec* vector, size_t max, size_t bytes_max) {
  Filled filled{.count = 0, .bytes = 0};
  while (filled.count < std::min<size_t>(count_, max) && filled.bytes < bytes_max) {
    const Slice& slice = at(static_cast<uint32_t>(filled.count));
    vector[filled.count++] = {const_cast<char*>(slice.data), slice.size};
    filled.bytes += slice.size;
  }
  return filled;
}

Slice OutputQueue::take_front(size_t bytes_max) {
  HANGU_ASSERT(count_ != 0);
  const Slice& front = at(0);
  Slice taken = front.subslice(front.view().substr(0, bytes_max));
  consume(taken.size);
  return taken;
}

void OutputQueue::consume(size_t bytes) {
  HANGU_ASSERT(bytes <= bytes_);
  bytes_ -= bytes;
  while (bytes != 0) {
    Slice& front = at(0);
    if (bytes < front.size) {
      front.remove_prefix(bytes);
      return;
    }
    bytes -= front.size;
    drop_front();
  }
  shrink_if_empty();
}

void OutputQueue::clear() {
  while (count_ != 0) {
    drop_front();
  }
  bytes_ = 0;
  shrink_if_empty();
}

void OutputQueue::drop_front() {
  at(0) = Slice{};
  first_ = (first_ + 1) & (capacity_ - 1);
  --count_;
}

void OutputQueue::shrink_if_empty() {
  if (count_ != 0) {
    return;
  }
  tail_ = {};
  tail_used_ = 0;
  first_ = 0;
  if (capacity_ > kKeepSlots) {
    grown_.reset();
    capacity_ = kInline;
  }
}

}  // namespace hangu::buffer
