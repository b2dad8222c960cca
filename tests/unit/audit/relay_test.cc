// Records on their way from one process's audit log to another's.
#include "hangu/audit/relay.h"

#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace hangu::audit {
namespace {

Record example(const std::string& path) {
  Record record;
  record.event = Event::kRateLimited;
  record.outcome = Outcome::kDenied;
  record.time = WallTime(std::chrono::nanoseconds(1'234'567'890'123'456'789));
  record.generation = 42;
  record.set(Text::kPath, path);
  record.set(Text::kRule, "daily");
  record.set(Number::kStatus, 429);
  record.set(Number::kDuration, UINT64_MAX);
  return record;
}

TEST(Relay, ARecordComesAsItWent) {
  std::string bytes;
  append_relayed(example("/a"), bytes);
  append_relayed(example(std::string(1500, 'b')), bytes);
  Record record;
  const size_t first = read_relayed(bytes, record);
  ASSERT_NE(first, 0U);
  EXPECT_EQ(record.event, Event::kRateLimited);
  EXPECT_EQ(record.outcome, Outcome::kDenied);
  EXPECT_EQ(record.time, example("").time);
  EXPECT_EQ(record.generation, 42U);
  EXPECT_EQ(record.text(Text::kPath), "/a");
  EXPECT_EQ(record.text(Text::kRule), "daily");
  EXPECT_EQ(record.number(Number::kStatus), 429U);
  EXPECT_EQ(record.number(Number::kDuration), UINT64_MAX);
  EXPECT_FALSE(record.has(Number::kShard));
  EXPECT_EQ(read_relayed(std::string_view(bytes).substr(first), record), bytes.size() - first);
  EXPECT_EQ(record.text(Text::kPath).size(), 1500U);
}

TEST(Relay, APartOfARecordIsNone) {
  std::string bytes;
  append_relayed(example("/a"), bytes);
  Record record;
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_EQ(read_relayed(std::string_view(bytes).substr(0, size), record), 0U);
  }
}

/// Of another version, or broken.
TEST(Relay, WhatHasNoNameHereIsLeftOut) {
  std::string bytes;
  append_relayed(example("/a"), bytes);
  for (const std::string name : {"rule", "status", "ratelimit.deny"}) {
    std::string other = bytes;
    other.replace(other.find(name), name.size(), std::string(name.size(), '?'));
    Record record;
    EXPECT_EQ(read_relayed(other, record), bytes.size());
    EXPECT_EQ(record.text(Text::kPath), "/a");
  }
  for (size_t at = 4; at < bytes.size(); ++at) {
    std::string broken = bytes;
    broken[at] = static_cast<char>(broken[at] ^ 0x55);
    Record record;
    EXPECT_EQ(read_relayed(broken, record), bytes.size());  // and nothing worse
  }
}

TEST(Relay, ManyRecordsThroughASmallSocket) {
  int ends[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
  RelayReader reader(ends[1]);
  std::vector<std::string> seen;
  const auto take = [&](const Record& record) { seen.emplace_back(record.text(Text::kPath)); };
  {
    RelayWriter writer(ends[0]);
    for (int i = 0; i < 5000; ++i) {
      writer.put(example("/" + std::to_string(i)));
      if (!writer.has_room() || i == 4999) {
        while (!writer.empty()) {
          ASSERT_TRUE(writer.send());
          reader.read(take);
        }
      }
    }
  }
  while (reader.read(take) != RelayReader::State::kEnded) {
  }
  ASSERT_EQ(seen.size(), 5000U);
  for (size_t i = 0; i < seen.size(); ++i) {
    EXPECT_EQ(seen[i], "/" + std::to_string(i));
  }
}

TEST(Relay, NobodyIsThereAnyMore) {
  int ends[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
  RelayWriter writer(ends[0]);
  ::close(ends[1]);
  writer.put(example("/"));
  EXPECT_FALSE(writer.send());
}

}  // namespace
}  // namespace hangu::audit
