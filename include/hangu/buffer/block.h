// Block: a fixed piece of memory from a shard's BlockPool, shared by reference count. Every byte
// that waits in the gateway, received or about to be sent, lies in a block that somebody holds;
// when the last BlockRef goes, the block returns to its pool. Counts are not atomic: a pool, its
// blocks and all references stay on one thread. A pool outlives its blocks.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>

#include "hangu/base/assert.h"
#include "hangu/base/sanitizer.h"

#if HANGU_ASAN
#include <sanitizer/asan_interface.h>
#endif

namespace hangu::buffer {

class BlockPool;

/// Space in front of every block's data: room for a frame header without moving the data.
inline constexpr uint32_t kBlockHeadroom = 64;

class Block {
 public:
  char* data() { return data_; }

  const char* data() const { return data_; }

  /// Bytes from data().
  uint32_t capacity() const { return capacity_; }

  /// Its place in the pool; io_uring knows it by this number.
  uint32_t index() const { return index_; }

  bool exclusive() const { return references_ == 1; }

 private:
  friend class BlockPool;
  friend class BlockRef;

  char* data_ = nullptr;
  BlockPool* pool_ = nullptr;
  Block* next_free_ = nullptr;
  uint32_t references_ = 0;
  uint32_t capacity_ = 0;
  uint32_t index_ = 0;
  bool resident_ = false;  // has memory from the system
  bool cold_ = false;      // while pages are trimmed: free, and not to be kept
};

class BlockRef {
 public:
  BlockRef() = default;

  BlockRef(const BlockRef& other) noexcept
      : BlockRef(other.block_) {}

  BlockRef(BlockRef&& other) noexcept
      : block_(std::exchange(other.block_, nullptr)) {}

  BlockRef& operator=(BlockRef other) noexcept {
    std::swap(block_, other.block_);
    return *this;
  }

  ~BlockRef() { release(); }

  explicit operator bool() const { return block_ != nullptr; }

  Block* get() const { return block_; }

  Block* operator->() const { return block_; }

  bool operator==(const BlockRef& other) const { return block_ == other.block_; }

  /// Gives the reference to code that cannot hold objects (the kernel); `adopt` takes it back.
  Block* leak() { return std::exchange(block_, nullptr); }

  /// A block of its own on the heap, for the rare piece that no pool can take.
  static BlockRef on_heap(size_t bytes);

  static BlockRef adopt(Block* block) {
    BlockRef reference;
    reference.block_ = block;
    return reference;
  }

 private:
  friend class BlockPool;

  explicit BlockRef(Block* block) noexcept
      : block_(block) {
    if (block_ != nullptr) {
      ++block_->references_;
    }
  }

  inline void release() noexcept;
  static void free_heap_block(Block* block) noexcept;

  Block* block_ = nullptr;
};

/// Bytes inside a block, or static memory when `block` is null.
struct Slice {
  BlockRef block;
  const char* data = nullptr;
  uint32_t size = 0;

  std::string_view view() const { return {data, size}; }

  void remove_prefix(size_t bytes) {
    HANGU_DCHECK(bytes <= size);
    data += bytes;
    size -= static_cast<uint32_t>(bytes);
  }

  /// A part of this slice, `part` lying within it.
  Slice subslice(std::string_view part) const {
    return Slice{block, part.data(), static_cast<uint32_t>(part.size())};
  }
};

struct BlockPoolOptions {
  uint32_t block_bytes = 64 * 1024;  // headroom included; a multiple of 64
  uint32_t blocks_max = 1024;
};

/// How much of a pool is in use: less than a half, three quarters, seven eighths; or more.
enum class Pressure : uint8_t { kNone, kSome, kHigh, kCritical };

class BlockPool {
 public:
  explicit BlockPool(const BlockPoolOptions& options);
  ~BlockPool();

  BlockPool(const BlockPool&) = delete;
  BlockPool& operator=(const BlockPool&) = delete;

  /// The block that came back last (it is still in the cache), or null at the limit.
  BlockRef acquire() {
    Block* block = free_;
    if (block == nullptr) {
      block = make_block();
      if (block == nullptr) {
        return {};
      }
    } else {
      free_ = block->next_free_;
    }
    if (++in_use_ > recent_peak_) {
      recent_peak_ = in_use_;
    }
    if (!block->resident_) {
      block->resident_ = true;
      ++resident_;
    }
    open_to_use(*block);
    return BlockRef(block);
  }

  Block* block_at(uint32_t index) { return &blocks_[index]; }

  uint32_t block_capacity() const { return options_.block_bytes - kBlockHeadroom; }

  uint32_t in_use() const { return in_use_; }

  uint32_t in_use_high_water() const { return made_; }

  uint32_t blocks_max() const { return options_.blocks_max; }

  Pressure pressure() const {
    const uint32_t eighth = options_.blocks_max / 8;
    return in_use_ < 4 * eighth   ? Pressure::kNone
           : in_use_ < 6 * eighth ? Pressure::kSome
           : in_use_ < 7 * eighth ? Pressure::kHigh
                                  : Pressure::kCritical;
  }

  /// What may be kept waiting where `bytes` may be as long as there is plenty.
  size_t bounded(size_t bytes) const {
    const Pressure found = pressure();
    return found == Pressure::kNone ? bytes : found == Pressure::kSome ? bytes / 4 : 0;
  }

  bool exhausted() const { return in_use_ == options_.blocks_max; }

  /// Blocks that have memory from the system, free ones included.
  uint32_t resident() const { return resident_; }

  /// Gives the memory of free blocks back to the system, except the `keep` hottest.
  void trim(uint32_t keep);
  /// The same, keeping what was needed at once since the last call and a small reserve.
  void trim_unused();

  /// Whether trim_unused() may have something to give back, now or at its next call.
  bool worth_trimming() const { return changed_ && resident_ > in_use_ + reserve(); }

 private:
  friend class BlockRef;

  Block* make_block();
  uint32_t reserve() const;
  void trim_whole_pages(uint32_t keep);
  void trim_shared_pages(uint32_t keep);

  size_t data_bytes() const { return size_t{options_.block_bytes} * options_.blocks_max; }

  size_t region_bytes() const { return data_bytes() + sizeof(Block) * options_.blocks_max; }

  char* memory_of(uint32_t index) const { return region_ + size_t{options_.block_bytes} * index; }

  void put_back(Block* block) noexcept {
    close_to_use(*block);
    block->next_free_ = free_;
    free_ = block;
    changed_ = true;
    --in_use_;
  }

  // Under AddressSanitizer the memory of a free block is out of bounds.
  void open_to_use([[maybe_unused]] const Block& block) const {
#if HANGU_ASAN
    __asan_unpoison_memory_region(block.data_ - kBlockHeadroom, options_.block_bytes);
#endif
  }

  void close_to_use([[maybe_unused]] const Block& block) const {
#if HANGU_ASAN
    __asan_poison_memory_region(block.data_ - kBlockHeadroom, options_.block_bytes);
#endif
  }

  BlockPoolOptions options_;
  char* region_ = nullptr;
  Block* blocks_ = nullptr;  // in the region, behind the data; made one by one
  Block* free_ = nullptr;
  uint32_t made_ = 0;  // blocks handed out at least once
  uint32_t in_use_ = 0;
  uint32_t recent_peak_ = 0;  // of in_use_, since the last trim_unused()
  uint32_t resident_ = 0;
  bool changed_ = false;  // blocks came back, or trim_unused() left some for its next call
};

inline void BlockRef::release() noexcept {
  if (block_ != nullptr && --block_->references_ == 0) {
    if (block_->pool_ != nullptr) {
      block_->pool_->put_back(block_);
    } else {
      free_heap_block(block_);
    }
  }
}

}  // namespace hangu::buffer
