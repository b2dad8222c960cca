#include "hangu/buffer/arena.h"

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace hangu::buffer {
namespace {

class ArenaTest : public testing::Test {
 protected:
  BlockPool small_{{.block_bytes = 2048, .blocks_max = 8}};
  BlockPool large_{{.block_bytes = 64 * 1024, .blocks_max = 2}};
};

TEST_F(ArenaTest, TakesNoBlockBeforeItIsUsed) {
  const Arena arena(small_, large_);
  EXPECT_EQ(small_.in_use(), 0U);
}

TEST_F(ArenaTest, CutsAlignedPiecesFromOneBlock) {
  Arena arena(small_, large_);
  char* first = arena.allocate(3, 1);
  char* second = arena.allocate(8);
  char* third = arena.allocate(1, 64);
  std::memset(first, 'a', 3);
  std::memset(second, 'b', 8);
  EXPECT_GE(second, first + 3);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(second) % 8, 0U);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(third) % 64, 0U);
  EXPECT_EQ(small_.in_use(), 1U);
}

TEST_F(ArenaTest, TrimGivesBackTheRestOfTheLastPiece) {
  Arena arena(small_, large_);
  char* first = arena.allocate(1000, 1);
  arena.trim(first + 10);
  EXPECT_EQ(arena.allocate(1, 1), first + 10);
  char* large = arena.allocate(5000, 1);
  arena.trim(large + 1);  // not of the block that is being cut
  EXPECT_EQ(arena.allocate(1, 1), first + 11);
}

TEST_F(ArenaTest, CopiesAndReleasesEverything) {
  {
    Arena arena(small_, large_);
    const std::string text(700, 'x');
    std::vector<std::string_view> copies;
    for (int i = 0; i < 14; ++i) {  // two a block
      copies.push_back(arena.copy(text));
    }
    for (const std::string_view copy : copies) {
      EXPECT_EQ(copy, text);
    }
    EXPECT_EQ(arena.copy(""), "");
    EXPECT_EQ(small_.in_use(), 7U);
  }
  EXPECT_EQ(small_.in_use(), 0U);
}

TEST_F(ArenaTest, LargePiecesComeFromTheLargePoolThenFromTheHeap) {
  Arena arena(small_, large_);
  std::memset(arena.allocate(10'000), 'a', 10'000);
  EXPECT_EQ(large_.in_use(), 1U);
  std::memset(arena.allocate(1'000'000), 'b', 1'000'000);
  EXPECT_EQ(large_.in_use(), 1U);
}

TEST_F(ArenaTest, GoesToTheHeapWhenThePoolIsExhausted) {
  std::vector<BlockRef> taken;
  while (BlockRef block = small_.acquire()) {
    taken.push_back(std::move(block));
  }
  Arena arena(small_, large_);
  const std::string_view copy = arena.copy("still works");
  EXPECT_EQ(copy, "still works");
  EXPECT_TRUE(arena.slice_of(copy).block);
}

TEST_F(ArenaTest, SlicesOutliveTheArena) {
  std::vector<Slice> slices;
  {
    Arena arena(small_, large_);
    for (const size_t size : {10, 1900, 1900, 10'000, 1900, 1900, 1900, 200'000, 5}) {
      const std::string_view copy = arena.copy(std::string(size, 'q'));
      slices.push_back(arena.slice_of(copy));
      EXPECT_TRUE(slices.back().block) << size;
    }
  }
  for (const Slice& slice : slices) {
    EXPECT_EQ(slice.view(), std::string(slice.size, 'q'));
  }
  slices.clear();
  EXPECT_EQ(small_.in_use(), 0U);
  EXPECT_EQ(large_.in_use(), 0U);
}

TEST_F(ArenaTest, SliceOfForeignBytesHoldsNothing) {
  const Arena arena(small_, large_);
  EXPECT_FALSE(arena.slice_of("static").block);
}

TEST_F(ArenaTest, ResetStartsAnew) {
  Arena arena(small_, large_);
  for (int i = 0; i < 20; ++i) {
    arena.copy(std::string(1000, 'x'));
    if (i % 4 == 3) {
      arena.reset();
      EXPECT_EQ(small_.in_use(), 0U);
    }
  }
}

}  // namespace
}  // namespace hangu::buffer
