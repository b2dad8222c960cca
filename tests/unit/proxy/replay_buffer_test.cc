#include "proxy/replay_buffer.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace hangu::proxy {
namespace {

class ReplayBufferTest : public testing::Test {
 protected:
  buffer::Slice piece(size_t bytes, char fill) {
    buffer::BlockRef block = large_.acquire();
    std::fill_n(block->data(), bytes, fill);
    const char* const data = block->data();
    return {std::move(block), data, static_cast<uint32_t>(bytes)};
  }

  void keep(size_t bytes, char fill) { kept_.keep(piece(bytes, fill), arena_, large_); }

  std::string content() const {
    std::string all;
    kept_.for_each([&](buffer::Slice&& slice) { all += slice.view(); });
    return all;
  }

  buffer::BlockPool small_{{.block_bytes = 2048, .blocks_max = 64}};
  buffer::BlockPool large_{{.block_bytes = 64 * 1024, .blocks_max = 16}};
  buffer::Arena arena_{small_, large_};
  ReplayBuffer kept_;
};

TEST_F(ReplayBufferTest, KeepsPiecesInOrderAsOftenAsAsked) {
  kept_.limit(64 * 1024);
  keep(10, 'a');
  keep(40'000, 'b');
  keep(1, 'c');
  const std::string expected = std::string(10, 'a') + std::string(40'000, 'b') + "c";
  EXPECT_EQ(content(), expected);
  EXPECT_EQ(content(), expected);
  EXPECT_FALSE(kept_.lost());
}

TEST_F(ReplayBufferTest, SmallPiecesHoldNoReceiveBlock) {
  kept_.limit(64 * 1024);
  keep(1000, 'a');
  EXPECT_EQ(large_.in_use(), 0U);
  keep(2000, 'b');
  EXPECT_EQ(large_.in_use(), 1U);
  kept_.clear();
  EXPECT_EQ(large_.in_use(), 0U);
}

TEST_F(ReplayBufferTest, LetsGoOfAllOnceThereIsTooMuch) {
  kept_.limit(5000);
  keep(5000, 'a');
  EXPECT_FALSE(kept_.lost());
  keep(1, 'b');
  EXPECT_TRUE(kept_.lost());
  EXPECT_TRUE(kept_.empty());
  EXPECT_EQ(large_.in_use(), 0U);
  keep(1, 'c');
  EXPECT_TRUE(kept_.empty());
}

TEST_F(ReplayBufferTest, KeepsNothingWithoutALimitButNoticesThatSomethingLeft) {
  kept_.keep({}, arena_, large_);
  EXPECT_FALSE(kept_.lost());
  keep(1, 'a');
  EXPECT_TRUE(kept_.lost());
}

TEST_F(ReplayBufferTest, KeepsNoMoreThanSoManyPieces) {
  kept_.limit(64 * 1024);
  int pieces = 0;
  while (!kept_.lost() && pieces < 100'000) {
    keep(1, 'a');
    ++pieces;
  }
  EXPECT_EQ(pieces, 257);
}

TEST_F(ReplayBufferTest, GivesWayWhenMemoryIsShort) {
  kept_.limit(64 * 1024);
  std::vector<buffer::BlockRef> others;
  for (int i = 0; i < 8; ++i) {
    others.push_back(large_.acquire());
  }
  keep(4000, 'a');
  EXPECT_TRUE(kept_.lost());
}

}  // namespace
}  // namespace hangu::proxy
