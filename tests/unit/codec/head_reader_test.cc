#include "hangu/codec/http1/head_reader.h"

#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hangu/codec/http1/head_scanner.h"

#include "tests/unit/codec/replay.h"

namespace hangu::codec::http1::test {
namespace {

using testing::ElementsAre;

/// Every head in `cuts`, with a reset in between, as a connection reads requests that came at once.
std::vector<std::string> read_all(const Cuts& cuts) {
  Memory memory;
  HeadReader reader(HeadScanner::Kind::kRequest, {});
  std::vector<std::string> heads;
  for (std::string_view rest : cuts) {
    while (!rest.empty()) {
      const Piece piece(rest);
      const auto step = reader.read(piece.view(), memory.arena());
      if (!step) {
        heads.push_back(describe(step.error(), Side::kDownstream));
        return heads;
      }
      rest.remove_prefix(step->consumed);
      if (step->complete) {
        heads.emplace_back(step->head);
        reader.reset();
        EXPECT_FALSE(reader.started());
      }
    }
  }
  return heads;
}

TEST(HeadReader, ReadsHeadsOneAfterTheOther) {
  const std::string long_head = "PUT / HTTP/1.1\r\nX: " + std::string(9000, 'x') + "\r\n\r\n";
  const std::string input =
      "GET /1 HTTP/1.1\r\n\r\n\r\n" + long_head + "GET /2 HTTP/1.1\r\nA: b\r\n\r\n";
  for (const size_t bytes : {1, 7, 1000, 4095, 4096, 4097, 20000}) {
    EXPECT_THAT(
        read_all(cut_evenly(input, bytes)),
        ElementsAre("GET /1 HTTP/1.1\r\n\r\n", long_head, "GET /2 HTTP/1.1\r\nA: b\r\n\r\n"))
        << bytes;
  }
}

TEST(HeadReader, TakesOnlyTheHead) {
  Memory memory;
  HeadReader reader(HeadScanner::Kind::kRequest, {});
  EXPECT_FALSE(reader.started());
  EXPECT_EQ(reader.read("PUT / HTTP/1.1\r\nA: b\r", memory.arena())->consumed, 21U);
  EXPECT_TRUE(reader.started());
  const std::string rest = "\n\r\n" + std::string(10000, 'x');
  const auto step = reader.read(rest, memory.arena());
  ASSERT_TRUE(step);
  EXPECT_TRUE(step->complete);
  EXPECT_EQ(step->head, "PUT / HTTP/1.1\r\nA: b\r\n\r\n");
  EXPECT_EQ(step->consumed, 3U);
}

TEST(HeadReader, NothingChangesNothing) {
  Memory memory;
  HeadReader reader(HeadScanner::Kind::kRequest, {});
  EXPECT_FALSE(reader.read("", memory.arena())->complete);
  EXPECT_FALSE(reader.started());
  EXPECT_FALSE(reader.read("GET / HTTP/1.1\r\n", memory.arena())->complete);
  EXPECT_FALSE(reader.read("", memory.arena())->complete);
  EXPECT_EQ(reader.read("\r\n", memory.arena())->head, "GET / HTTP/1.1\r\n\r\n");
}

TEST(HeadReader, RefusesAtTheFirstByteWhatIsNoHttp) {
  Memory memory;
  for (const std::string_view input : {"\x16", " ", "\x80", ":"}) {
    HeadReader request(HeadScanner::Kind::kRequest, {});
    EXPECT_FALSE(request.read(input, memory.arena())) << input;
  }
  for (const std::string_view input : {"h", "\r", "\n", "<"}) {
    HeadReader response(HeadScanner::Kind::kResponse, {});
    EXPECT_FALSE(response.read(input, memory.arena())) << input;
  }
}

TEST(HeadReader, RefusesLongLinesBeforeTheyEnd) {
  Memory memory;
  HeadReader line(HeadScanner::Kind::kRequest, {.request_line_bytes = 16});
  EXPECT_TRUE(line.read("GET /" + std::string(13, 'x'), memory.arena()));
  EXPECT_FALSE(line.read("x", memory.arena()));
  HeadReader field(HeadScanner::Kind::kRequest, {.header_line_bytes = 16});
  EXPECT_TRUE(field.read("GET / HTTP/1.1\r\n" + std::string(18, 'x'), memory.arena()));
  EXPECT_FALSE(field.read("x", memory.arena()));
}

TEST(HeadScanner, FindsTheHeadInAGrowingBuffer) {
  const std::string buffer = "\r\nGET / HTTP/1.1\r\nA: b\r\n\r\nbody";
  constexpr size_t kEnd = 26;
  HeadScanner scanner(HeadScanner::Kind::kRequest, {});
  for (size_t size = 0; size < kEnd; ++size) {
    const Piece piece(std::string_view(buffer).substr(0, size));
    const auto result = scanner.scan(piece.view());
    ASSERT_TRUE(result) << size;
    EXPECT_EQ(result->status, HeadScanner::Status::kNeedMore) << size;
  }
  const auto result = scanner.scan(buffer);
  ASSERT_TRUE(result);
  EXPECT_EQ(result->status, HeadScanner::Status::kComplete);
  EXPECT_EQ(result->head_begin, 2U);
  EXPECT_EQ(result->head_bytes, kEnd - 2);
}

}  // namespace
}  // namespace hangu::codec::http1::test
