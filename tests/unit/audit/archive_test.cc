#include "hangu/audit/archive.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "hangu/audit/log_reader.h"

#include "tests/unit/audit/audit_folder.h"

namespace hangu::audit {
namespace {

class ArchiveTest : public AuditFolder {
 protected:
  void write(const std::string& file, const std::string& text) { std::ofstream(file) << text; }

  static std::string read_all(const std::string& file) {
    auto reader = LogReader::open(file);
    EXPECT_TRUE(reader.has_value());
    std::string all;
    for (auto piece = reader->next(); piece && !piece->empty(); piece = reader->next()) {
      EXPECT_EQ(piece->back(), '\n');
      all += *piece;
    }
    return all + reader->rest();
  }
};

TEST_F(ArchiveTest, FilesComeInTheOrderOfTheChain) {
  write(archived_path(path(), 1000), "b");
  write(archived_path(path(), 9) + ".zst", "a");
  write(archived_path(path(), 1000) + ".zst", "half");
  write(archived_path(path(), 12345678901234567), "c");
  write(path() + ".spill", "");
  write(path() + ".0000000000000009.zst.tmp", "");
  write(path(), "current");
  const auto files = archived_files(path());
  ASSERT_EQ(files.size(), 3U);
  EXPECT_EQ(files[0].path, path() + ".0000000000000009.zst");
  EXPECT_EQ(files[0].last_seq, 999U);
  EXPECT_EQ(files[1].path, path() + ".0000000000001000");  // not its unfinished copy
  EXPECT_EQ(files[2].first_seq, 12345678901234567U);
  EXPECT_EQ(files[2].last_seq, 0U);
}

TEST_F(ArchiveTest, PackingKeepsContentTimesAndMode) {
  const std::string file = archived_path(path(), 1);
  std::string text;
  for (int i = 0; i < 200'000; ++i) {
    text += "line " + std::to_string(i) + "\n";
  }
  text += "no end";
  write(file, text);
  ::chmod(file.c_str(), 0640);
  const timespec times[2] = {{1'600'000'000, 0}, {1'600'000'000, 0}};
  ::utimensat(AT_FDCWD, file.c_str(), times, 0);
  ASSERT_TRUE(pack_file(file).has_value());
  EXPECT_FALSE(std::filesystem::exists(file));

  struct stat status {};

  ASSERT_EQ(::stat((file + ".zst").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0640U);
  EXPECT_EQ(status.st_mtim.tv_sec, 1'600'000'000);
  EXPECT_LT(status.st_size, static_cast<off_t>(text.size() / 3));
  EXPECT_EQ(read_all(file + ".zst"), text);
}

TEST_F(ArchiveTest, BrokenPacksAreTold) {
  const std::string file = archived_path(path(), 1);
  write(file, std::string(100'000, 'x') + "\n");
  ASSERT_TRUE(pack_file(file).has_value());
  std::string packed = content(file + ".zst");
  const auto error_of = [&](const std::string& bytes) {
    write(file + ".zst", bytes);
    auto reader = LogReader::open(file + ".zst");
    auto piece = reader->next();
    while (piece && !piece->empty()) {
      piece = reader->next();
    }
    return piece ? std::string() : piece.error();
  };
  EXPECT_EQ(error_of(packed), "");
  EXPECT_NE(error_of(packed.substr(0, packed.size() - 3)).find("cut off"), std::string::npos);
  packed[packed.size() / 2] = static_cast<char>(packed[packed.size() / 2] ^ 1);
  EXPECT_NE(error_of(packed).find("broken"), std::string::npos);
}

TEST(Expiry, TakesOnlyWhatIsOldAndOldest) {
  const WallTime now(std::chrono::hours(24 * 20'000));
  const auto days_ago = [&](int days) { return now - std::chrono::hours(24 * days); };
  const std::vector<ArchivedFile> files = {
      {.path = "a", .first_seq = 1, .modified = days_ago(200)},
      {.path = "b", .first_seq = 2, .modified = days_ago(183)},
      {.path = "c", .first_seq = 3, .modified = days_ago(182)},
      {.path = "d", .first_seq = 4, .modified = days_ago(190)}};  // its clock was wrong
  const auto expired = expired_files(files, now, std::chrono::hours(24 * 183));
  ASSERT_EQ(expired.size(), 2U);
  EXPECT_EQ(expired[1].path, "b");
  EXPECT_TRUE(expired_files(files, now, Duration::zero()).empty());
}

}  // namespace
}  // namespace hangu::audit
