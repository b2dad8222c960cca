#include "hangu/buffer/output_queue.h"

#include <cstring>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace hangu::buffer {
namespace {

class OutputQueueTest : public testing::Test {
 protected:
  Slice received(std::string_view text) {
    BlockRef block = large_.acquire();
    std::memcpy(block->data(), text.data(), text.size());
    return Slice{block, block->data(), static_cast<uint32_t>(text.size())};
  }

  std::string content(size_t max = 1024, size_t bytes_max = SIZE_MAX) {
    std::vector<iovec> vector(max);
    const auto filled = queue_.fill(vector.data(), max, bytes_max);
    std::string text;
    for (size_t i = 0; i < filled.count; ++i) {
      text.append(static_cast<const char*>(vector[i].iov_base), vector[i].iov_len);
    }
    EXPECT_EQ(text.size(), filled.bytes);
    pieces_ = filled.count;
    return text;
  }

  BlockPool small_{{.block_bytes = 2048, .blocks_max = 64}};
  BlockPool large_{{.block_bytes = 64 * 1024, .blocks_max = 256}};
  OutputQueue queue_{small_};
  size_t pieces_ = 0;
};

TEST_F(OutputQueueTest, CoalescesSmallPiecesOfAllKinds) {
  queue_.append_copy("HTTP/1.1 200 OK\r\n");
  queue_.append_static("Server: x\r\n\r\n");
  queue_.append(received("hello"));
  EXPECT_EQ(large_.in_use(), 0U);  // copied, so it is free again
  EXPECT_EQ(content(), "HTTP/1.1 200 OK\r\nServer: x\r\n\r\nhello");
  EXPECT_EQ(pieces_, 1U);
  EXPECT_EQ(queue_.bytes(), 35U);
  EXPECT_EQ(small_.in_use(), 1U);
  queue_.consume(35);
  EXPECT_TRUE(queue_.empty());
  EXPECT_EQ(small_.in_use(), 0U);
}

TEST_F(OutputQueueTest, LargePiecesAreReferred) {
  const std::string body(20'000, 'b');
  queue_.append_copy("head");
  queue_.append(received(body));
  queue_.append_static("tail");
  EXPECT_EQ(large_.in_use(), 1U);
  EXPECT_EQ(content(), "head" + body + "tail");
  EXPECT_EQ(pieces_, 3U);
  queue_.consume(4 + 20'000);
  EXPECT_EQ(large_.in_use(), 0U);
  EXPECT_EQ(content(), "tail");
}

TEST_F(OutputQueueTest, ContiguousSlicesMerge) {
  Slice whole = received(std::string(10'000, 'm'));
  const std::string_view view = whole.view();
  queue_.append(whole.subslice(view.substr(0, 6000)));
  queue_.append(whole.subslice(view.substr(6000)));
  EXPECT_EQ(content().size(), 10'000U);
  EXPECT_EQ(pieces_, 1U);
  queue_.append(whole.subslice(view.substr(0, 5000)));
  content();
  EXPECT_EQ(pieces_, 2U);
}

TEST_F(OutputQueueTest, LongCopiesSpanBlocks) {
  const std::string text(5000, 'c');
  queue_.append_copy(text);
  EXPECT_EQ(content(), text);
  EXPECT_EQ(small_.in_use(), 3U);
}

TEST_F(OutputQueueTest, ConsumesInParts) {
  queue_.append_copy("abc");
  queue_.append(received(std::string(3000, 'd')));
  queue_.consume(2);
  queue_.consume(2);
  EXPECT_EQ(content(), "" + std::string(2999, 'd'));
  queue_.append_copy("e");
  EXPECT_EQ(content(), std::string(2999, 'd') + "e");
}

TEST_F(OutputQueueTest, FillIsBoundedInPiecesAndBytes) {
  for (int i = 0; i < 10; ++i) {
    queue_.append(received(std::string(2000, static_cast<char>('0' + i))));
  }
  EXPECT_EQ(content(3).size(), 6000U);
  EXPECT_EQ(content(64, 5000).size(), 6000U);  // ends with the piece that reaches it
  EXPECT_EQ(content(64, 4000).size(), 4000U);
}

TEST_F(OutputQueueTest, BytesUnderWayStayWhileMoreIsAppended) {
  queue_.append_copy("first");
  iovec under_way[1];
  queue_.fill(under_way, 1);
  for (int i = 0; i < 400; ++i) {
    queue_.append_copy("more and more ");
  }
  EXPECT_EQ(std::memcmp(under_way[0].iov_base, "first", 5), 0);
  queue_.consume(5);
  EXPECT_EQ(queue_.bytes(), 400 * 14U);
}

TEST_F(OutputQueueTest, ClearReleasesEverything) {
  for (int i = 0; i < 100; ++i) {
    queue_.append(received(std::string(2000, 'x')));
    queue_.append_copy("y");
  }
  queue_.clear();
  EXPECT_TRUE(queue_.empty());
  EXPECT_EQ(small_.in_use(), 0U);
  EXPECT_EQ(large_.in_use(), 0U);
  queue_.append_copy("again");
  EXPECT_EQ(content(), "again");
}

TEST_F(OutputQueueTest, WorksOnWhenThePoolIsExhausted) {
  std::vector<BlockRef> taken;
  while (BlockRef block = small_.acquire()) {
    taken.push_back(std::move(block));
  }
  const std::string text(3000, 'h');
  queue_.append_copy(text);
  queue_.append_copy("small");
  EXPECT_EQ(content(), text + "small");
}

TEST_F(OutputQueueTest, AnIdleQueueIsSmall) {
  EXPECT_LE(sizeof(OutputQueue), 176U);
}

TEST_F(OutputQueueTest, KeepsOrderUnderRandomUse) {
  std::mt19937 random(7);  // NOLINT: the same sequence each time
  std::string expected;
  for (int round = 0; round < 20'000; ++round) {
    const size_t size = random() % 4 == 0 ? random() % 6000 : random() % 200;
    const std::string piece(size, static_cast<char>('a' + random() % 26));
    if (queue_.bytes() < 300'000) {
      expected += piece;
      random() % 2 == 0 ? queue_.append_copy(piece) : queue_.append(received(piece));
    }
    const size_t gone = std::min<size_t>(random() % 5000, queue_.bytes());
    if (random() % 8 == 0) {
      ASSERT_EQ(content(8), expected.substr(0, content(8).size()));
    }
    queue_.consume(gone);
    expected.erase(0, gone);
    ASSERT_EQ(queue_.bytes(), expected.size());
  }
}

}  // namespace
}  // namespace hangu::buffer
