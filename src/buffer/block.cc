#include "hangu/buffer/block.h"

#include <sys/mman.h>

#include <algorithm>

namespace hangu::buffer {
namespace {

constexpr size_t kPageBytes = 4096;
// Free blocks of this much memory are always kept: giving it back would gain little.
constexpr uint32_t kReserveBytes = 1024 * 1024;

}  // namespace

BlockRef BlockRef::on_heap(size_t bytes) {
  HANGU_ASSERT(bytes <= UINT32_MAX);
  auto block = std::make_unique<Block>();
  block->data_ =
      std::make_unique_for_overwrite<char[]>(bytes + kBlockHeadroom).release() + kBlockHeadroom;
  block->capacity_ = static_cast<uint32_t>(bytes);
  return BlockRef(block.release());
}

void BlockRef::free_heap_block(Block* block) noexcept {
  const std::unique_ptr<Block> owned(block);
  std::unique_ptr<char[]>(owned->data_ - kBlockHeadroom).reset();
}

BlockPool::BlockPool(const BlockPoolOptions& options)
    : options_(options) {
  HANGU_ASSERT(options.block_bytes > kBlockHeadroom && options.block_bytes % 64 == 0);
  HANGU_ASSERT(options.blocks_max > 0);
  void* region = mmap(nullptr, region_bytes(), PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  HANGU_ASSERT(region != MAP_FAILED);
  madvise(region, region_bytes(), MADV_NOHUGEPAGE);  // it would stay resident for one hot block
  region_ = static_cast<char*>(region);
  blocks_ = reinterpret_cast<Block*>(region_ + data_bytes());
}

BlockPool::~BlockPool() {
  HANGU_DCHECK(in_use_ == 0);
#if HANGU_ASAN
  __asan_unpoison_memory_region(region_, region_bytes());
#endif
  munmap(region_, region_bytes());
}

Block* BlockPool::make_block() {
  if (made_ == options_.blocks_max) {
    return nullptr;
  }
  Block* block = std::construct_at(&blocks_[made_]);
  block->data_ = memory_of(made_) + kBlockHeadroom;
  block->pool_ = this;
  block->capacity_ = block_capacity();
  block->index_ = made_;
  ++made_;
  return block;
}

uint32_t BlockPool::reserve() const {
  return kReserveBytes / options_.block_bytes;
}

void BlockPool::trim(uint32_t keep) {
  if (options_.block_bytes % kPageBytes == 0) {
    trim_whole_pages(keep);
  } else {
    trim_shared_pages(keep);
  }
}

void BlockPool::trim_unused() {
  const uint32_t spare = recent_peak_ - in_use_;
  trim(std::max(spare, reserve()));
  recent_peak_ = in_use_;
  changed_ = spare > reserve();
}

void BlockPool::trim_whole_pages(uint32_t keep) {
  uint32_t position = 0;
  for (Block* block = free_; block != nullptr; block = block->next_free_) {
    if (position++ >= keep && block->resident_) {
      madvise(memory_of(block->index_), options_.block_bytes, MADV_DONTNEED);
      block->resident_ = false;
      --resident_;
    }
  }
}

/// Several blocks lie on one page: it can go when all of them are free and not to be kept.
void BlockPool::trim_shared_pages(uint32_t keep) {
  for (uint32_t i = 0; i < made_; ++i) {
    blocks_[i].cold_ = false;
  }
  uint32_t position = 0;
  for (Block* block = free_; block != nullptr; block = block->next_free_) {
    block->cold_ = position++ >= keep;
  }
  const size_t end = size_t{options_.block_bytes} * made_ / kPageBytes * kPageBytes;
  for (size_t page = 0; page < end; page += kPageBytes) {
    const auto first = static_cast<uint32_t>(page / options_.block_bytes);
    const auto last = static_cast<uint32_t>((page + kPageBytes - 1) / options_.block_bytes);
    bool all_cold = true;
    bool any_resident = false;
    for (uint32_t i = first; i <= last; ++i) {
      all_cold = all_cold && blocks_[i].cold_;
      any_resident = any_resident || blocks_[i].resident_;
    }
    if (!all_cold || !any_resident) {
      continue;
    }
    madvise(region_ + page, kPageBytes, MADV_DONTNEED);
    for (uint32_t i = first; i <= last; ++i) {
      resident_ -= blocks_[i].resident_ ? 1 : 0;
      blocks_[i].resident_ = false;
    }
  }
}

}  // namespace hangu::buffer
