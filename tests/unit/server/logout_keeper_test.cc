#include "server/logout_keeper.h"

#include <stdlib.h>
#include <sys/stat.h>

#include <ctime>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace hangu::server {
namespace {

using filter::OidcLogouts;
using identity::LogoutEntry;
using Entries = LogoutKeeper::Entries;

LogoutEntry entry_of(uint8_t number, int64_t at_s, int64_t until_s) {
  return {.kind = number % 2 == 0 ? LogoutEntry::Kind::kToken : LogoutEntry::Kind::kSessions,
          .scope = {9},
          .digest = {number},
          .at_s = at_s,
          .until_s = until_s};
}

Entries some(uint8_t count) {
  Entries all;
  for (uint8_t i = 0; i < count; ++i) {
    all.push_back(entry_of(i, 1'700'000'000 + i, 1'700'003'600 + i));
  }
  return all;
}

class LogoutJournalTest : public testing::Test {
 protected:
  LogoutJournalTest() {
    std::string name = (std::filesystem::temp_directory_path() / "hangu-logouts-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
  }

  ~LogoutJournalTest() override { std::filesystem::remove_all(folder_); }

  std::string path() const { return folder_ + "/state/logouts"; }

  std::string content() const {
    std::ifstream file(path(), std::ios::binary);
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  }

  static Entries news_of(LogoutJournal& journal) {
    EXPECT_FALSE(journal.begin(false));
    Entries found = journal.news();
    journal.end();
    return found;
  }

  static void add(LogoutJournal& journal, const Entries& entries) {
    EXPECT_FALSE(journal.begin(true));
    journal.news();
    EXPECT_FALSE(journal.append(entries));
    journal.end();
  }

  std::string folder_;
};

TEST_F(LogoutJournalTest, ReadsWhatItWroteAndSkipsWhatIsDamaged) {
  std::string bytes = encode_logouts(some(4));
  ASSERT_EQ(bytes.size(), 4 * LogoutJournal::kRecordBytes);
  size_t damaged = 0;
  EXPECT_EQ(decode_logouts(bytes, damaged), some(4));
  EXPECT_EQ(damaged, 0U);
  for (const size_t at : {size_t{0}, size_t{7}, size_t{20}, size_t{50}, size_t{75}, size_t{90}}) {
    std::string other = bytes;
    other[LogoutJournal::kRecordBytes + at] ^= 1;
    damaged = 0;
    Entries expected = some(4);
    expected.erase(expected.begin() + 1);
    EXPECT_EQ(decode_logouts(other, damaged), expected) << at;
    EXPECT_EQ(damaged, 1U);
  }
}

TEST_F(LogoutJournalTest, TwoProcessesAddToIt) {
  LogoutJournal one(path());
  LogoutJournal other(path());
  EXPECT_EQ(one.begin(false), std::errc::no_such_file_or_directory);
  EXPECT_FALSE(one.has_news());
  const Entries all = some(6);
  add(one, {all[0], all[1]});
  EXPECT_FALSE(one.has_news());
  EXPECT_TRUE(other.has_news());
  EXPECT_FALSE(other.begin(true));
  EXPECT_EQ(other.news(), (Entries{all[0], all[1]}));
  EXPECT_FALSE(other.append(std::vector{all[2]}));
  other.end();
  EXPECT_EQ(news_of(one), Entries{all[2]});
  // Written anew by one of them, it is read whole by the other.
  EXPECT_FALSE(other.begin(true));
  EXPECT_FALSE(other.replace(std::vector{all[4], all[5]}));
  other.end();
  EXPECT_EQ(other.records(), 2U);
  EXPECT_TRUE(one.has_news());
  EXPECT_EQ(news_of(one), (Entries{all[4], all[5]}));
  add(one, {all[3]});
  EXPECT_EQ(news_of(other), Entries{all[3]});

  struct stat found {};

  ASSERT_EQ(::stat(path().c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0777, 0600U);
}

TEST_F(LogoutJournalTest, HalfARecordIsInNobodysWay) {
  LogoutJournal one(path());
  add(one, some(2));
  {
    std::ofstream file(path(), std::ios::binary | std::ios::app);
    file << encode_logouts(some(1)).substr(0, 40);  // its writer was killed
  }
  LogoutJournal other(path());
  EXPECT_EQ(news_of(other), some(2));
  add(other, {entry_of(7, 1, 2)});
  LogoutJournal third(path());
  const Entries found = news_of(third);
  ASSERT_EQ(found.size(), 3U);
  EXPECT_EQ(found[2], entry_of(7, 1, 2));
  EXPECT_EQ(third.damaged(), 0U);
}

TEST_F(LogoutJournalTest, WhatWasNotReadIsNotCutOff) {
  LogoutJournal one(path());
  add(one, some(1));
  LogoutJournal other(path());
  add(other, some(2));
  // As after a read that failed: the turn goes on without what is there.
  EXPECT_FALSE(one.begin(true));
  EXPECT_TRUE(one.has_unread());
  EXPECT_EQ(one.append(std::vector{entry_of(7, 1, 2)}), std::errc::io_error);
  EXPECT_EQ(one.replace(some(1)), std::errc::io_error);
  one.end();
  EXPECT_EQ(content().size(), 3 * LogoutJournal::kRecordBytes);
  EXPECT_EQ(news_of(one), some(2));
  add(one, {entry_of(7, 1, 2)});
  EXPECT_EQ(content().size(), 4 * LogoutJournal::kRecordBytes);
}

TEST_F(LogoutJournalTest, AFileThatWasTakenAwayIsNews) {
  LogoutJournal one(path());
  EXPECT_FALSE(one.has_news());
  add(one, some(2));
  EXPECT_FALSE(one.has_news());
  std::filesystem::remove(path());
  EXPECT_TRUE(one.has_news());
}

class LogoutKeeperTest : public LogoutJournalTest {
 protected:
  std::unique_ptr<LogoutKeeper> keeper() {
    return std::make_unique<LogoutKeeper>(folder_ + "/state", [this](const Entries& entries) {
      heard_.insert(heard_.end(), entries.begin(), entries.end());
    });
  }

  std::shared_ptr<OidcLogouts> logouts(LogoutKeeper& keeper, size_t entries = 1024) const {
    auto made = std::make_shared<OidcLogouts>(
        OidcLogouts::Options{.entries_max = std::max(entries, keeper.known({9})),
                             .now_s = now_,
                             .seed = 7,
                             .scope = {9},
                             .listener = &keeper});
    keeper.adopt(made);
    return made;
  }

  void end(OidcLogouts& logouts, const std::string& subject, const std::string& sid) const {
    EXPECT_EQ(logouts.end({.subject = subject,
                           .sid = sid,
                           .token = "token of " + subject + sid,
                           .token_until_s = now_ + 180,
                           .keep_s = 3600},
                          now_),
              OidcLogouts::Outcome::kEnded);
  }

  bool ended(const OidcLogouts& logouts, const std::string& subject,
             const std::string& sid = {}) const {
    return logouts.ended(logouts.keys_of(subject, sid), now_);
  }

  const int64_t now_ = std::time(nullptr);
  Entries heard_;
};

TEST_F(LogoutKeeperTest, AnotherProcessKnowsWhatWasEnded) {
  auto first = keeper();
  const auto before = logouts(*first);
  end(*before, "ann", "s1");
  first->stop();
  EXPECT_EQ(first->status().remembered, 2U);
  EXPECT_EQ(heard_.size(), 3U);  // with the token
  EXPECT_EQ(content().size(), 3 * LogoutJournal::kRecordBytes);
  EXPECT_EQ(content().find("ann"), std::string::npos);
  EXPECT_EQ(content().find("s1"), std::string::npos);

  auto second = keeper();
  const auto after = logouts(*second);
  EXPECT_TRUE(ended(*after, "ann", "s1"));
  EXPECT_TRUE(ended(*after, "ann"));
  EXPECT_FALSE(ended(*after, "ann", "s2"));
  EXPECT_EQ(after->end({.subject = "ann",
                        .sid = "s1",
                        .token = "token of anns1",
                        .token_until_s = now_ + 180,
                        .keep_s = 3600},
                       now_),
            OidcLogouts::Outcome::kReplay);
  second->stop();
  EXPECT_EQ(heard_.size(), 3U);  // what was read at the start is no news
}

TEST_F(LogoutKeeperTest, ATableOfAnotherSizeKnowsAll) {
  auto one = keeper();
  const auto before = logouts(*one, 4096);
  const auto keys = before->keys_of("3", "");
  for (int i = 0; i < 3000; ++i) {
    end(*before, std::to_string(i), "");
  }
  const auto after = logouts(*one, 1024);
  for (int i = 0; i < 3000; ++i) {
    ASSERT_TRUE(ended(*after, std::to_string(i))) << i;
  }
  EXPECT_TRUE(after->ended(keys, now_));  // of a session that was opened before
  EXPECT_EQ(one->status().without_room, 0U);
  // Shards that have not got it yet tell the one before.
  end(*before, "late", "");
  one->stop();
  EXPECT_TRUE(ended(*after, "late"));
}

TEST_F(LogoutKeeperTest, WhatOtherNodesHeardIsKeptAndNotToldAgain) {
  auto one = keeper();
  const auto table = logouts(*one);

  struct Heard final : filter::LogoutListener {
    void on_ended(std::span<const LogoutEntry> entries) noexcept override {
      all.assign(entries.begin(), entries.end());
    }

    Entries all;
  } far;

  OidcLogouts node({.entries_max = 64, .now_s = now_, .seed = 1, .scope = {9}, .listener = &far});
  end(node, "ann", "");
  one->take(far.all);
  EXPECT_TRUE(ended(*table, "ann"));
  EXPECT_EQ(one->all().size(), 2U);
  one->stop();
  EXPECT_TRUE(heard_.empty());
  EXPECT_EQ(content().size(), 2 * LogoutJournal::kRecordBytes);
}

TEST_F(LogoutKeeperTest, NothingIsWrittenBeforeItsTurn) {
  auto one = keeper();
  one->wait();
  const auto table = logouts(*one);
  end(*table, "ann", "");
  one->stop();
  EXPECT_EQ(content(), "");
}

TEST_F(LogoutKeeperTest, AJournalThatWasTakenAwayIsWrittenWhole) {
  {
    LogoutJournal journal(path());
    Entries known = some(3);
    for (LogoutEntry& entry : known) {
      entry.until_s = now_ + 3600;
    }
    add(journal, known);
  }
  auto one = keeper();
  const auto table = logouts(*one);
  std::filesystem::remove(path());
  end(*table, "ann", "");
  one->stop();
  EXPECT_EQ(content().size(), 5 * LogoutJournal::kRecordBytes);
}

TEST_F(LogoutKeeperTest, CountsWhoseSessionsAreOver) {
  auto one = keeper();
  const auto table = logouts(*one);
  end(*table, "ann", "s1");
  one->take({entry_of(1, now_, now_ + 3600), entry_of(2, now_, now_ + 3600),  // a token
             entry_of(3, now_ - 7200, now_ - 3600)});                         // over
  one->take({entry_of(1, now_ + 1, now_ + 3600)});                            // known
  one->stop();
  EXPECT_EQ(one->status().remembered, 3U);
}

TEST_F(LogoutKeeperTest, WhatIsOverLeavesTheJournal) {
  {
    LogoutJournal journal(path());
    std::vector<LogoutEntry> old;
    for (int i = 0; i < 3000; ++i) {
      LogoutEntry entry = entry_of(1, now_ - 7200, now_ - 3600);
      entry.digest[1] = static_cast<uint8_t>(i);
      entry.digest[2] = static_cast<uint8_t>(i >> 8);
      old.push_back(entry);
    }
    add(journal, old);
  }
  auto one = keeper();
  const auto table = logouts(*one);
  end(*table, "ann", "");
  one->stop();
  EXPECT_EQ(content().size(), 2 * LogoutJournal::kRecordBytes);
}

}  // namespace
}  // namespace hangu::server
