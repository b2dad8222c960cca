#include "control/document_log.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hangu/base/utf8.h"

namespace hangu::control {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

class DocumentLogTest : public testing::Test {
 protected:
  DocumentLogTest()
      : folder_(std::filesystem::temp_directory_path() / fmt::format("hangu-log-{}", ::getpid())) {
    std::filesystem::remove_all(folder_);
  }

  ~DocumentLogTest() override { std::filesystem::remove_all(folder_); }

  std::string path() const { return (folder_ / "state" / "documents").string(); }

  std::unique_ptr<DocumentLog> open() const {
    auto log = DocumentLog::open(path());
    EXPECT_TRUE(log) << (log ? "" : log.error());
    return log ? std::move(*log) : nullptr;
  }

  std::string text() const {
    std::ifstream file(path(), std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }

  void write(std::string_view text) const { std::ofstream(path(), std::ios::binary) << text; }

  static LoggedChange put(const std::string& key, std::optional<std::string> text) {
    return {.documents = {{key, std::move(text)}}, .time = "now", .author = "li", .message = ""};
  }

  static void change(DocumentLog& log, const LoggedChange& change) {
    ASSERT_TRUE(log.reserve(change));
    ASSERT_TRUE(log.append(change));
  }

  std::filesystem::path folder_;
};

TEST_F(DocumentLogTest, BringsBackWhatWasAppended) {
  const auto log = open();
  EXPECT_FALSE(std::filesystem::exists(path())) << "nothing was written";
  change(*log, put("routes/a", "1\n\"two\""));
  change(*log, put("routes/b", "2"));
  change(*log, put("routes/a", std::nullopt));
  const auto again = open();
  EXPECT_THAT(again->documents(), ElementsAre(Pair("routes/b", "2")));
  EXPECT_EQ(again->generation(), 3U);
  EXPECT_EQ(again->author(), "li");
  EXPECT_EQ(std::filesystem::status(path()).permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

TEST_F(DocumentLogTest, ACutLineCountsForNothingWhereverItIsCut) {
  change(*open(), put("routes/a", "1"));
  const std::string good = text();
  change(*open(), put("routes/b", "2"));
  const std::string whole = text();
  for (size_t size = good.size(); size < whole.size(); size += 7) {
    write(whole.substr(0, size));
    const auto log = open();
    ASSERT_NE(log, nullptr);
    EXPECT_THAT(log->documents(), ElementsAre(Pair("routes/a", "1"))) << size;
    change(*log, put("routes/c", "3"));
    EXPECT_THAT(open()->documents(), ElementsAre(Pair("routes/a", "1"), Pair("routes/c", "3")));
  }
}

TEST_F(DocumentLogTest, DamageIsAnError) {
  change(*open(), put("routes/a", "1"));
  change(*open(), put("routes/b", "2"));
  std::string all = text();
  all[all.find("routes/a")] = 'R';
  write(all);
  const auto log = DocumentLog::open(path());
  ASSERT_FALSE(log);
  EXPECT_THAT(log.error(), HasSubstr("line 1 is damaged"));
}

TEST_F(DocumentLogTest, ADamagedLastLineCountsForNothing) {
  change(*open(), put("routes/a", "1"));
  const std::string good = text();
  change(*open(), put("routes/b", "2"));
  const std::string whole = text();
  for (size_t at = good.size(); at + 1 < whole.size(); at += 5) {
    std::string damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ 1);
    write(damaged);
    const auto log = open();
    ASSERT_NE(log, nullptr) << at;
    EXPECT_THAT(log->documents(), ElementsAre(Pair("routes/a", "1"))) << at;
    EXPECT_EQ(log->generation(), 1U);
    change(*log, put("routes/c", "3"));
    EXPECT_THAT(open()->documents(), ElementsAre(Pair("routes/a", "1"), Pair("routes/c", "3")));
  }
}

TEST_F(DocumentLogTest, AFirstLineThatSaysEverythingIsNotThrownAway) {
  const auto log = open();
  const std::string large(300 * 1024, 'x');
  for (int i = 0; text().find("\"generation\":1,") != std::string::npos || i == 0; ++i) {
    ASSERT_LT(i, 100);
    change(*log, put("routes/a", large + std::to_string(i)));
  }
  std::string all = text();
  ASSERT_EQ(std::count(all.begin(), all.end(), '\n'), 1);
  all[all.size() / 2] = 'y';
  write(all);
  EXPECT_FALSE(DocumentLog::open(path()));
}

TEST_F(DocumentLogTest, TextsOfPeopleDoNotSpoilIt) {
  const auto log = open();
  LoggedChange first = put("routes/a", "1");
  first.message = "\xE4\xB8";
  first.author = "li\xFF";
  change(*log, first);
  change(*log, put("routes/b", "2"));
  const auto again = open();
  ASSERT_NE(again, nullptr);
  EXPECT_THAT(again->documents(), ElementsAre(Pair("routes/a", "1"), Pair("routes/b", "2")));
}

TEST_F(DocumentLogTest, KeepsAMessageThatWasCut) {
  std::string message;
  for (int i = 0; i < 334; ++i) {
    message += "中";
  }
  LoggedChange cut = put("routes/a", "1");
  cut.message = utf8_prefix(message, 1000);
  EXPECT_EQ(cut.message.size(), 999U);
  change(*open(), cut);
  EXPECT_THAT(open()->documents(), ElementsAre(Pair("routes/a", "1")));
  EXPECT_THAT(text(), HasSubstr(message.substr(0, 999) + "\""));
}

TEST_F(DocumentLogTest, WritesNothingWhenAnotherHasWritten) {
  const auto old = open();
  change(*old, put("routes/a", "1"));
  const auto successor = open();
  change(*successor, put("routes/b", "2"));
  const std::string before = text();
  const auto reserved = old->reserve(put("routes/c", "3"));
  ASSERT_FALSE(reserved);
  EXPECT_THAT(reserved.error(), HasSubstr("another process"));
  EXPECT_FALSE(old->append(put("routes/c", "3")));
  EXPECT_EQ(text(), before);
  change(*successor, put("routes/d", "4"));
  EXPECT_EQ(open()->generation(), 3U);
}

TEST_F(DocumentLogTest, DoesNotReplaceAFileThatAnotherHasBegun) {
  const auto old = open();
  change(*open(), put("routes/b", "2"));
  EXPECT_FALSE(old->reserve(put("routes/c", "3")));
  EXPECT_THAT(open()->documents(), ElementsAre(Pair("routes/b", "2")));
}

TEST_F(DocumentLogTest, IsWrittenAnewBeforeItGrowsWithoutEnd) {
  const auto log = open();
  const std::string large(100 * 1024, 'x');
  for (int i = 0; i < 40; ++i) {
    change(*log, put("routes/a", large + std::to_string(i)));
    ASSERT_LT(std::filesystem::file_size(path()), DocumentLog::kRewriteBytesMin + 2 * large.size());
  }
  change(*log, put("routes/b", "2"));
  const auto again = open();
  EXPECT_THAT(again->documents(),
              ElementsAre(Pair("routes/a", large + "39"), Pair("routes/b", "2")));
  EXPECT_EQ(again->generation(), 41U);
}

}  // namespace
}  // namespace hangu::control
