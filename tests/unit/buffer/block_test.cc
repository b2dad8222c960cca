#include "hangu/buffer/block.h"

#include <sys/mman.h>

#include <cstring>
#include <vector>

#include <gtest/gtest.h>

namespace hangu::buffer {
namespace {

bool in_memory(const char* page) {
  unsigned char resident = 0;
  EXPECT_EQ(mincore(const_cast<char*>(page), 1, &resident), 0);
  return (resident & 1) != 0;
}

TEST(BlockPool, HandsOutTheBlockThatCameBackLast) {
  BlockPool pool({.block_bytes = 4096, .blocks_max = 4});
  BlockRef first = pool.acquire();
  BlockRef second = pool.acquire();
  Block* last = second.get();
  first = {};
  second = {};
  EXPECT_EQ(pool.acquire().get(), last);
}

TEST(BlockPool, EndsAtItsLimit) {
  BlockPool pool({.block_bytes = 4096, .blocks_max = 2});
  const BlockRef first = pool.acquire();
  BlockRef second = pool.acquire();
  EXPECT_TRUE(pool.exhausted());
  EXPECT_FALSE(pool.acquire());
  second = {};
  EXPECT_FALSE(pool.exhausted());
  EXPECT_TRUE(pool.acquire());
  EXPECT_EQ(pool.in_use(), 1U);
  EXPECT_EQ(pool.in_use_high_water(), 2U);
}

TEST(BlockPool, BlocksHaveHeadroomAndTheirOwnMemory) {
  BlockPool pool({.block_bytes = 4096, .blocks_max = 2});
  const BlockRef first = pool.acquire();
  const BlockRef second = pool.acquire();
  EXPECT_EQ(first->capacity(), 4096 - kBlockHeadroom);
  std::memset(first->data() - kBlockHeadroom, 'a', 4096);
  std::memset(second->data() - kBlockHeadroom, 'b', 4096);
  EXPECT_EQ(first->data()[0], 'a');
  EXPECT_EQ(first->data()[first->capacity() - 1], 'a');
  EXPECT_EQ(pool.block_at(first->index()), first.get());
  EXPECT_NE(first->index(), second->index());
}

TEST(BlockRef, CountsReferences) {
  BlockPool pool({.block_bytes = 4096, .blocks_max = 2});
  BlockRef one = pool.acquire();
  EXPECT_TRUE(one->exclusive());
  BlockRef two = one;
  EXPECT_FALSE(one->exclusive());
  EXPECT_TRUE(one == two);
  BlockRef moved = std::move(two);
  two = moved;
  moved = {};
  two = {};
  EXPECT_TRUE(one->exclusive());
  EXPECT_EQ(pool.in_use(), 1U);
  Block* leaked = one.leak();
  EXPECT_FALSE(one);
  EXPECT_EQ(pool.in_use(), 1U);
  BlockRef::adopt(leaked) = {};
  EXPECT_EQ(pool.in_use(), 0U);
}

TEST(BlockRef, SelfAssignmentKeepsTheBlock) {
  BlockPool pool({.block_bytes = 4096, .blocks_max = 2});
  BlockRef block = pool.acquire();
  const BlockRef& alias = block;
  block = alias;
  EXPECT_TRUE(block);
  EXPECT_TRUE(block->exclusive());
}

TEST(BlockRef, HeapBlocksHaveHeadroomToo) {
  const BlockRef block = BlockRef::on_heap(100'000);
  EXPECT_EQ(block->capacity(), 100'000U);
  std::memset(block->data() - kBlockHeadroom, 'x', kBlockHeadroom + 100'000);
}

TEST(BlockPool, TrimGivesColdMemoryBack) {
  BlockPool pool({.block_bytes = 64 * 1024, .blocks_max = 64});
  std::vector<BlockRef> blocks;
  std::vector<const char*> pages;
  for (int i = 0; i < 64; ++i) {
    blocks.push_back(pool.acquire());
    std::memset(blocks.back()->data(), 'x', 100);
    pages.push_back(blocks.back()->data() - kBlockHeadroom);
  }
  while (blocks.size() > 1) {
    blocks.pop_back();  // so block 1 comes back last: it is the hottest
  }
  EXPECT_EQ(pool.resident(), 64U);
  pool.trim(3);
  EXPECT_EQ(pool.resident(), 4U);
  EXPECT_TRUE(in_memory(pages[0]));  // in use
  EXPECT_TRUE(in_memory(pages[1]));
  EXPECT_TRUE(in_memory(pages[3]));
  EXPECT_FALSE(in_memory(pages[4]));
  EXPECT_FALSE(in_memory(pages[63]));
}

TEST(BlockPool, TrimsPagesThatSmallBlocksShare) {
  BlockPool pool({.block_bytes = 2048, .blocks_max = 1024});
  std::vector<BlockRef> blocks;
  for (int i = 0; i < 1024; ++i) {
    blocks.push_back(pool.acquire());
    blocks.back()->data()[0] = 'x';
  }
  BlockRef kept = blocks[1000];
  const char* kept_page = kept->data() - kBlockHeadroom;
  const char* other_page = blocks[1002]->data() - kBlockHeadroom;
  while (!blocks.empty()) {
    blocks.pop_back();
  }
  pool.trim(0);
  EXPECT_TRUE(in_memory(kept_page));
  EXPECT_FALSE(in_memory(other_page));
  EXPECT_EQ(kept->data()[0], 'x');
  EXPECT_LE(pool.resident(), 2U);
}

TEST(BlockPool, TrimUnusedFollowsTheNeed) {
  BlockPool pool({.block_bytes = 64 * 1024, .blocks_max = 256});
  std::vector<BlockRef> blocks;
  for (int i = 0; i < 200; ++i) {
    blocks.push_back(pool.acquire());
  }
  EXPECT_FALSE(pool.worth_trimming());
  blocks.clear();
  EXPECT_TRUE(pool.worth_trimming());
  pool.trim_unused();  // 200 were needed since the last call: they stay
  EXPECT_EQ(pool.resident(), 200U);
  EXPECT_TRUE(pool.worth_trimming());
  pool.trim_unused();
  EXPECT_LE(pool.resident(), 16U);
  EXPECT_FALSE(pool.worth_trimming());
}

TEST(BlockPool, SaysHowMuchIsInUse) {
  BlockPool pool({.block_bytes = 4096, .blocks_max = 16});
  std::vector<BlockRef> taken;
  const auto take_until = [&](size_t count) {
    while (taken.size() < count) {
      taken.push_back(pool.acquire());
    }
  };
  take_until(7);
  EXPECT_EQ(pool.pressure(), Pressure::kNone);
  EXPECT_EQ(pool.bounded(1000), 1000U);
  take_until(8);
  EXPECT_EQ(pool.pressure(), Pressure::kSome);
  EXPECT_EQ(pool.bounded(1000), 250U);
  take_until(12);
  EXPECT_EQ(pool.pressure(), Pressure::kHigh);
  EXPECT_EQ(pool.bounded(1000), 0U);
  take_until(14);
  EXPECT_EQ(pool.pressure(), Pressure::kCritical);
}

TEST(Slice, PartsKeepTheBlock) {
  BlockPool pool({.block_bytes = 4096, .blocks_max = 2});
  Slice part;
  {
    BlockRef block = pool.acquire();
    std::memcpy(block->data(), "hello world", 11);
    Slice whole{block, block->data(), 11};
    part = whole.subslice(whole.view().substr(6));
    whole.remove_prefix(3);
    EXPECT_EQ(whole.view(), "lo world");
  }
  EXPECT_EQ(part.view(), "world");
  EXPECT_EQ(pool.in_use(), 1U);
}

}  // namespace
}  // namespace hangu::buffer
