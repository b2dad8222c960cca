// Arena: the memory of one request: small pieces cut from blocks, freed all at once. Bytes that are
// handed to an OutputQueue as a slice keep their block alive, so an arena may go while they are
// still being sent. No allocation from the heap unless the pools are exhausted or a piece exceeds a
// large block. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string_view>
#include <vector>

#include "hangu/buffer/block.h"

namespace hangu::buffer {

class Arena {
 public:
  /// Cuts from `small` blocks; pieces that do not fit one come from `large`.
  Arena(BlockPool& small, BlockPool& large)
      : small_(small),
        large_(large) {}

  ~Arena() = default;

  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  char* allocate(size_t bytes, size_t alignment = 8) {
    const size_t skipped = -reinterpret_cast<uintptr_t>(next_) & (alignment - 1);
    if (next_ != nullptr && skipped + bytes <= static_cast<size_t>(end_ - next_)) {
      char* const piece = next_ + skipped;
      next_ = piece + bytes;
      return piece;
    }
    return allocate_slow(bytes);
  }

  /// Gives back what lies behind `end`, which points into the last allocation or to its end.
  void trim(const char* end) {
    if (current_ && end >= current_->data() && end <= next_) {
      next_ = current_->data() + (end - current_->data());
    }
  }

  /// A copy of `bytes`, of alignment 1.
  std::string_view copy(std::string_view bytes);

  /// The pieces one after the other, the same.
  std::string_view concat(std::initializer_list<std::string_view> pieces);

  /// A slice of bytes that allocate() or copy() returned: it holds their block.
  Slice slice_of(std::string_view bytes) const;

  /// Frees everything; blocks that slices still hold stay until those go.
  void reset();

 private:
  char* allocate_slow(size_t bytes);
  void keep(BlockRef block);

  BlockPool& small_;
  BlockPool& large_;
  char* next_ = nullptr;
  char* end_ = nullptr;
  BlockRef current_;
  // Earlier blocks. Inline up to kInline, then on the heap.
  static constexpr size_t kInline = 4;
  BlockRef earlier_[kInline];
  uint32_t earlier_count_ = 0;
  std::vector<BlockRef> more_;
};

}  // namespace hangu::buffer
