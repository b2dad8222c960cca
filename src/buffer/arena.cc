#include "hangu/buffer/arena.h"

#include <algorithm>
#include <cstring>

namespace hangu::buffer {
namespace {

bool contains(const BlockRef& block, const char* data) {
  return block && data >= block->data() && data <= block->data() + block->capacity();
}

}  // namespace

std::string_view Arena::copy(std::string_view bytes) {
  if (bytes.empty()) {
    return {};
  }
  char* data = allocate(bytes.size(), 1);
  std::memcpy(data, bytes.data(), bytes.size());
  return {data, bytes.size()};
}

std::string_view Arena::concat(std::initializer_list<std::string_view> pieces) {
  size_t size = 0;
  for (const std::string_view piece : pieces) {
    size += piece.size();
  }
  char* const begin = allocate(size, 1);
  char* to = begin;
  for (const std::string_view piece : pieces) {
    to = std::copy(piece.begin(), piece.end(), to);
  }
  return {begin, size};
}

char* Arena::allocate_slow(size_t bytes) {
  const bool small = bytes <= small_.block_capacity();
  BlockRef block;
  if (small) {
    block = small_.acquire();
  } else if (bytes <= large_.block_capacity()) {
    block = large_.acquire();
  }
  if (!block) {
    block = BlockRef::on_heap(bytes);
  }
  char* data = block->data();
  if (small) {
    if (current_) {
      keep(std::move(current_));
    }
    next_ = data + bytes;
    end_ = data + block->capacity();
    current_ = std::move(block);
  } else {
    keep(std::move(block));
  }
  return data;
}

void Arena::keep(BlockRef block) {
  if (earlier_count_ < kInline) {
    earlier_[earlier_count_++] = std::move(block);
  } else {
    more_.push_back(std::move(block));
  }
}

Slice Arena::slice_of(std::string_view bytes) const {
  Slice slice{{}, bytes.data(), static_cast<uint32_t>(bytes.size())};
  if (contains(current_, bytes.data())) {
    slice.block = current_;
    return slice;
  }
  for (uint32_t i = 0; i < earlier_count_; ++i) {
    if (contains(earlier_[i], bytes.data())) {
      slice.block = earlier_[i];
      return slice;
    }
  }
  for (const BlockRef& block : more_) {
    if (contains(block, bytes.data())) {
      slice.block = block;
      return slice;
    }
  }
  return slice;
}

void Arena::reset() {
  next_ = end_ = nullptr;
  current_ = {};
  while (earlier_count_ != 0) {
    earlier_[--earlier_count_] = {};
  }
  more_.clear();
}

}  // namespace hangu::buffer
