#include "hangu/audit/search.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "hangu/audit/chain.h"

namespace hangu::audit {
namespace {

const WallTime kNow(std::chrono::seconds(1'700'000'000));  // 2023-11-14T22:13:20Z

std::string log_of_three() {
  Chain chain(DigestKind::kSha256, "n", {});
  std::string out;
  for (const std::string_view path : {"/a", "/b\"q", "/ab"}) {
    Record record;
    record.event = path == "/a" ? Event::kRequest : Event::kRequestDenied;
    record.time = kNow + std::chrono::seconds(chain.end().seq);
    record.set(Text::kPath, path);
    record.set(Number::kStatus, 200 + chain.end().seq);
    chain.append(record, 0, out);
  }
  return out;
}

/// The numbers of the records that are found: "13".
std::string found(SearchOptions options) {
  const auto search = Search::create(std::move(options));
  EXPECT_TRUE(search.has_value());
  std::string numbers;
  const std::string lines = search->select(log_of_three());
  EXPECT_EQ(search->count(log_of_three()),
            static_cast<uint64_t>(std::count(lines.begin(), lines.end(), '\n')));
  for (size_t at = 0; at < lines.size(); at = lines.find('\n', at) + 1) {
    numbers += std::to_string(*number_member(std::string_view(lines).substr(at), "seq"));
  }
  return numbers;
}

TEST(Search, PicksByEachKindOfCondition) {
  EXPECT_EQ(found({}), "123");
  EXPECT_EQ(found({.members = {{"path", "/a"}}}), "1");
  EXPECT_EQ(found({.members = {{"path", "/a*"}}}), "13");
  EXPECT_EQ(found({.members = {{"path", "/b\"q"}}}), "2");
  EXPECT_EQ(found({.members = {{"status", "201"}}}), "2");
  EXPECT_EQ(found({.members = {{"path", "/a"}, {"status", "202"}}}), "");
  EXPECT_EQ(found({.members = {{"no_such", ""}}}), "");
  EXPECT_EQ(found({.texts = {"deny"}}), "23");
  EXPECT_EQ(found({.texts = {"deny", "/ab"}}), "3");
  EXPECT_EQ(found({.members = {{"status", "20*"}}}), "123");
  EXPECT_EQ(found({.members = {{"path", "/a"}}, .texts = {"deny"}}), "");
  EXPECT_EQ(found({.pattern = "\"path\":\"/a[^b]"}), "1");
  EXPECT_EQ(found({.pattern = "\"status\":[2]02|\"status\":[2]00"}), "13");
  EXPECT_EQ(found({.pattern = "\\A.\"seq\":2"}), "2");
  EXPECT_EQ(found({.pattern = "$"}), "123");
  EXPECT_FALSE(Search::create({.pattern = "("}).has_value());
}

TEST(Search, PicksByTime) {
  EXPECT_EQ(found({.since = "2023-11-14T22:13:21"}), "23");
  EXPECT_EQ(found({.until = "2023-11-14T22:13:21"}), "1");
  EXPECT_EQ(found({.since = "2023-11-14T22:13:21", .until = "2023-11-14T22:13:22"}), "2");
  EXPECT_EQ(found({.since = "2023-11-15"}), "");
  EXPECT_EQ(found({.since = "2023-11-14T22:13:21", .texts = {"/a"}}), "3");
  EXPECT_EQ(found({.until = "2023-11-14T22:13:22", .pattern = "/[b]"}), "2");
}

TEST(Search, FilesThatWereCompleteBeforeNeedNotBeRead) {
  const auto search = Search::create({.since = "2023-11-14T22:10"});
  ArchivedFile file{.modified = kNow - std::chrono::hours(2)};
  EXPECT_FALSE(search->is_worth_reading(file));
  file.modified = kNow;
  EXPECT_TRUE(search->is_worth_reading(file));
  file.modified = kNow - std::chrono::seconds(240);  // 22:09:20: clocks may have been set
  EXPECT_TRUE(search->is_worth_reading(file));
  EXPECT_TRUE(Search::create({.until = "2020-01-01"})->is_worth_reading(file));
}

TEST(Search, Times) {
  EXPECT_EQ(parse_log_time("2023-11-14", kNow), "2023-11-14");
  EXPECT_EQ(parse_log_time("2023-11-14T22:13Z", kNow), "2023-11-14T22:13");
  EXPECT_EQ(parse_log_time("2023-11-14T22:13:20.5Z", kNow), "2023-11-14T22:13:20.5");
  EXPECT_EQ(parse_log_time("20s", kNow), "2023-11-14T22:13:00.000000Z");
  EXPECT_EQ(parse_log_time("1d", kNow), "2023-11-13T22:13:20.000000Z");
  for (const std::string_view bad :
       {"", "yesterday", "2023", "2023-11-1x", "2023-11-14 22:13", "-1h", "5",
        "2023-11-14T22:13:20+08:00", "2023-11-14T22:13.5", "2023-11-14T"}) {
    EXPECT_FALSE(parse_log_time(bad, kNow)) << bad;
  }
}

}  // namespace
}  // namespace hangu::audit
