#include "hangu/audit/chain.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "hangu/base/hex.h"

namespace hangu::audit {
namespace {

Record record_at(int64_t seconds) {
  Record record;
  record.event = Event::kRequest;
  record.time = WallTime(std::chrono::seconds(seconds) + std::chrono::microseconds(42));
  record.generation = 2;
  record.set(Text::kPath, "/a\"b");
  record.set(Number::kStatus, 200);
  record.set(Number::kDuration, 1'234'567);
  return record;
}

TEST(Chain, LineIsCanonical) {
  Chain chain(DigestKind::kSha256, "gw-1", {});
  std::string out;
  chain.append(record_at(1'700'000'000), 3, out);
  const std::string body =
      R"({"seq":1,"ts":"2023-11-14T22:13:20.000042Z","v":1,"node":"gw-1","shard":3,"gen":2,)"
      R"("event":"request","result":"ok","path":"/a\"b","status":200,"duration_ms":1.234,)" +
      std::string("\"prev\":\"") + std::string(64, '0') + '"';
  EXPECT_EQ(out, body + ",\"hash\":\"" + tls::sha256_hex(body) + "\"}\n");
  EXPECT_EQ(to_hex(chain.end().hash), tls::sha256_hex(body));
}

TEST(Chain, EachRecordNamesTheOneBefore) {
  for (const DigestKind kind : {DigestKind::kSha256, DigestKind::kSm3}) {
    Chain chain(kind, "n", {.seq = 41, .hash = {1, 2, 3}});
    tls::Digester digester(kind);
    std::string out;
    std::string prev = to_hex(chain.end().hash);
    for (uint64_t seq = 42; seq < 50; ++seq) {
      out.clear();
      chain.append(record_at(static_cast<int64_t>(seq)), 0, out);
      const auto link = parse_link(std::string_view(out).substr(0, out.size() - 1));
      ASSERT_TRUE(link);
      EXPECT_EQ(link->seq, seq);
      EXPECT_EQ(link->prev, prev);
      EXPECT_EQ(link->hash, to_hex(digester(link->hashed)));
      prev = link->hash;
    }
  }
}

TEST(Chain, Sm3IsThatOfTheStandard) {  // GB/T 32905, example 1
  EXPECT_EQ(to_hex(tls::Digester(DigestKind::kSm3)("abc")),
            "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0");
}

TEST(Chain, LinksOfNoRecord) {
  Chain chain(DigestKind::kSha256, "n", {});
  std::string line;
  chain.append(record_at(1), 0, line);
  line.pop_back();
  ASSERT_TRUE(parse_link(line));
  for (size_t i = 0; i < line.size(); ++i) {  // every beginning, every end
    EXPECT_FALSE(parse_link(std::string_view(line).substr(0, i)));
    EXPECT_FALSE(i > 0 && parse_link(std::string_view(line).substr(i)));
  }
}

TEST(Chain, MembersAreNotFoundInValues) {
  Chain chain(DigestKind::kSha256, "n", {});
  Record record = record_at(1);
  record.set(Text::kPath, R"(/","event":"forged","status":1)");
  std::string line;
  chain.append(record, 0, line);
  EXPECT_EQ(member(line, "event"), "request");
  EXPECT_EQ(number_member(line, "status"), 200U);
  EXPECT_EQ(member(line, "nothing"), "");
  EXPECT_EQ(number_member(line, "seq"), 1U);
}

TEST(Chain, TheLongestRecordHasItsLinks) {
  Chain chain(DigestKind::kSha256, std::string(64, 'n'), {});
  Record record;
  const std::string odd(3000, '\x01');  // six characters each
  for (size_t i = 0; i < kTexts; ++i) {
    record.set(static_cast<Text>(i), odd);
  }
  for (size_t i = 0; i < kNumbers; ++i) {
    record.set(static_cast<Number>(i), UINT64_MAX);
  }
  std::string line;
  chain.append(record, 0, line);
  const auto link = parse_link(std::string_view(line).substr(0, line.size() - 1));
  ASSERT_TRUE(link);
  EXPECT_EQ(link->hash, tls::sha256_hex(link->hashed));
}

}  // namespace
}  // namespace hangu::audit
