#include "hangu/audit/log_pieces.h"

#include <fstream>
#include <random>
#include <string>

#include <gtest/gtest.h>

#include "hangu/audit/parallel_pieces.h"

#include "tests/unit/audit/audit_folder.h"

namespace hangu::audit {
namespace {

/// Everything, as ParallelPieces hands it over.
std::string all_of(PieceSource& source, uint64_t& bytes_read) {
  std::string all;
  const auto read = ParallelPieces<std::string>(source, 3).run(
      [](std::string_view piece) { return std::string(piece); },
      [&](const std::string& piece, uint64_t bytes) {
        EXPECT_TRUE(piece.empty() || piece.ends_with('\n'));
        EXPECT_GT(bytes, bytes_read);
        bytes_read = bytes;
        all += piece;
        return true;
      });
  EXPECT_TRUE(read.has_value());
  return all;
}

class PlainPiecesTest : public AuditFolder {};

TEST_F(PlainPiecesTest, AreTheWholeLinesOfAFileInItsOrderWhereverItIsCut) {
  std::mt19937 random(7);
  for (int round = 0; round < 200; ++round) {
    std::string text;
    for (size_t lines = random() % 20; lines > 0; --lines) {
      text.append(random() % 4 == 0 ? random() % 30'000 : random() % 12, 'x').append("\n");
    }
    const std::string rest(random() % 3 == 0 ? random() % 9 : 0, 'r');
    std::ofstream(path(), std::ios::binary) << text << rest;
    auto pieces = PlainPieces::open(path(), 1 + random() % 40);
    ASSERT_TRUE(pieces.has_value());
    uint64_t bytes_read = 0;
    EXPECT_EQ(all_of(*pieces, bytes_read), text) << "round " << round;
    EXPECT_EQ(bytes_read, text.size() + rest.size());
  }
}

TEST_F(PlainPiecesTest, AFileThatIsNotThereIsAnError) {
  EXPECT_FALSE(PlainPieces::open("/nowhere/audit.log").has_value());
}

/// Fails with one piece.
class BrokenSource final : public PieceSource {
 public:
  Result<bool, std::string> claim(LogPiece& piece) override {
    piece.begin = next_++;
    piece.bytes_read = next_;
    return next_ < 100;
  }

  Result<void, std::string> load(LogPiece& piece) const override {
    piece.buffer = std::to_string(piece.begin) + "\n";
    piece.lines = piece.buffer;
    return piece.begin == 17 ? Result<void, std::string>(Failure<std::string>{"broken"})
                             : Result<void, std::string>();
  }

 private:
  uint64_t next_ = 0;
};

TEST(ParallelPieces, HandsOverWhatComesBeforeAnErrorAndNothingBehindIt) {
  BrokenSource source;
  std::string all;
  const auto read = ParallelPieces<std::string>(source, 4).run(
      [](std::string_view piece) { return std::string(piece); },
      [&](const std::string& piece, uint64_t) {
        all += piece;
        return true;
      });
  EXPECT_EQ(read.error(), "broken");
  std::string wanted;
  for (int i = 0; i < 17; ++i) {
    wanted += std::to_string(i) + "\n";
  }
  EXPECT_EQ(all, wanted);
}

}  // namespace
}  // namespace hangu::audit
