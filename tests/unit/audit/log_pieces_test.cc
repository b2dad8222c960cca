#include "hangu/audit/log_pieces.h"

#include <filesystem>
#include <fstream>
#include <random>
#include <string>

#include <gtest/gtest.h>

#include "hangu/audit/archive.h"
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

class PackedPiecesTest : public AuditFolder {
 protected:
  /// Packed as rotation packs a file; its name.
  std::string pack(const std::string& text) {
    std::ofstream(path(), std::ios::binary | std::ios::trunc) << text;
    EXPECT_TRUE(pack_file(path()).has_value());
    return path() + ".zst";
  }

  static std::string lines(size_t bytes) {
    std::mt19937 random(5);
    std::string text;
    while (text.size() < bytes) {
      text += std::to_string(random()).append(random() % 900, 'x').append("\n");
    }
    return text;
  }

  /// What is wrong with the file; empty: nothing.
  static std::string error_of(const std::string& file) {
    const auto pieces = open_pieces(file);
    EXPECT_TRUE(pieces.has_value());
    const auto read = ParallelPieces<size_t>(**pieces, 2)
                          .run([](std::string_view piece) { return piece.size(); },
                               [](size_t, uint64_t) { return true; });
    return read ? std::string() : read.error();
  }
};

TEST_F(PackedPiecesTest, AreTheWholeLinesOfAFileInItsOrder) {
  for (const size_t bytes : {0, 1, 300'000, 5'000'000}) {
    for (const char* rest : {"", "no end"}) {
      const std::string text = lines(bytes);
      const std::string file = pack(text + rest);
      const auto pieces = open_pieces(file);
      ASSERT_TRUE(pieces.has_value());
      EXPECT_NE(dynamic_cast<PackedPieces*>(pieces->get()), nullptr);
      uint64_t bytes_read = 0;
      EXPECT_EQ(all_of(**pieces, bytes_read), text) << bytes << rest;
      EXPECT_LE(bytes_read, std::filesystem::file_size(file));
    }
  }
}

TEST_F(PackedPiecesTest, ALineLongerThanAFrameIsOnePiece) {
  const std::string text = lines(10'000) + std::string(3'000'000, 'y') + "\n" + lines(10'000);
  const auto pieces = open_pieces(pack(text));
  uint64_t bytes_read = 0;
  EXPECT_EQ(all_of(**pieces, bytes_read), text);
}

TEST_F(PackedPiecesTest, AFileWithoutATableIsReadFromItsBeginning) {
  const std::string text = lines(3'000'000);
  const std::string file = pack(text);
  std::filesystem::resize_file(file, std::filesystem::file_size(file) - 1);
  const auto pieces = open_pieces(file);
  ASSERT_TRUE(pieces.has_value());
  EXPECT_NE(dynamic_cast<ReaderPieces*>(pieces->get()), nullptr);
  EXPECT_NE(error_of(file).find("cut off"), std::string::npos);  // within the table's own frame
}

TEST_F(PackedPiecesTest, BrokenFramesAreTold) {
  const std::string file = pack(lines(3'000'000));
  EXPECT_EQ(error_of(file), "");
  std::string packed = content(file);
  packed[packed.size() / 2] = static_cast<char>(packed[packed.size() / 2] ^ 1);
  std::ofstream(file, std::ios::binary | std::ios::trunc) << packed;
  EXPECT_NE(error_of(file).find("broken"), std::string::npos);
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
