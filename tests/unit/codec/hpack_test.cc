// RFC 7541: its examples (Appendix C), and its rules by section, whole and byte by byte.
#include "hangu/codec/http2/hpack.h"

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace hangu::codec::http2 {
namespace {

using Fields = std::vector<std::pair<std::string, std::string>>;
using Indexing = HpackEncoder::Indexing;

class Collector final : public FieldSink {
 public:
  void on_field(std::string_view name, std::string_view value) noexcept override {
    fields.emplace_back(name, value);
  }

  Fields fields;
};

std::string bytes(std::string_view hex) {
  std::string out;
  int high = -1;
  for (const char c : hex) {
    if (c == ' ') {
      continue;
    }
    const int digit = c <= '9' ? c - '0' : c - 'a' + 10;
    if (high < 0) {
      high = digit;
    } else {
      out.push_back(static_cast<char>(high * 16 + digit));
      high = -1;
    }
  }
  return out;
}

struct Decoded {
  bool good;
  Fields fields;
};

Decoded decode(HpackDecoder& decoder, std::string_view block, size_t piece_bytes = SIZE_MAX) {
  Collector sink;
  while (!block.empty()) {
    const size_t size = std::min(piece_bytes, block.size());
    const auto piece = std::make_unique<char[]>(size);  // for AddressSanitizer to watch
    std::copy_n(block.data(), size, piece.get());
    if (!decoder.decode({piece.get(), size}, false, sink)) {
      return {false, std::move(sink.fields)};
    }
    block.remove_prefix(size);
  }
  const bool good = decoder.decode({}, true, sink);
  return {good, std::move(sink.fields)};
}

/// The blocks of one connection.
void expect_blocks(const std::vector<std::pair<std::string_view, Fields>>& blocks) {
  for (const size_t piece_bytes : {SIZE_MAX, size_t{1}, size_t{3}}) {
    HpackDecoder decoder;
    for (const auto& [hex, fields] : blocks) {
      const Decoded decoded = decode(decoder, bytes(hex), piece_bytes);
      EXPECT_TRUE(decoded.good) << hex;
      EXPECT_EQ(decoded.fields, fields) << hex;
    }
  }
}

void expect_refused(std::string_view hex) {
  for (const size_t piece_bytes : {SIZE_MAX, size_t{1}}) {
    HpackDecoder decoder;
    EXPECT_FALSE(decode(decoder, bytes(hex), piece_bytes).good) << hex;
  }
}

// --- Appendix C -------------------------------------------------------------------------------

TEST(HpackExamples, C2Representations) {
  expect_blocks({{"400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572",
                  {{"custom-key", "custom-header"}}},
                 {"be", {{"custom-key", "custom-header"}}}});
  expect_blocks({{"040c 2f73 616d 706c 652f 7061 7468", {{":path", "/sample/path"}}}});
  expect_blocks({{"1008 7061 7373 776f 7264 0673 6563 7265 74", {{"password", "secret"}}}});
  expect_blocks({{"82", {{":method", "GET"}}}});
}

const Fields kFirstRequest = {
    {":method", "GET"}, {":scheme", "http"}, {":path", "/"}, {":authority", "www.example.com"}};
const Fields kSecondRequest = {{":method", "GET"},
                               {":scheme", "http"},
                               {":path", "/"},
                               {":authority", "www.example.com"},
                               {"cache-control", "no-cache"}};
const Fields kThirdRequest = {{":method", "GET"},
                              {":scheme", "https"},
                              {":path", "/index.html"},
                              {":authority", "www.example.com"},
                              {"custom-key", "custom-value"}};

TEST(HpackExamples, C3RequestsWithoutHuffman) {
  expect_blocks({{"8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d", kFirstRequest},
                 {"8286 84be 5808 6e6f 2d63 6163 6865", kSecondRequest},
                 {"8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65",
                  kThirdRequest}});
}

TEST(HpackExamples, C4RequestsWithHuffman) {
  expect_blocks({{"8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff", kFirstRequest},
                 {"8286 84be 5886 a8eb 1064 9cbf", kSecondRequest},
                 {"8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf", kThirdRequest}});
}

const std::string kDate = "Mon, 21 Oct 2013 20:13:21 GMT";
const std::string kLaterDate = "Mon, 21 Oct 2013 20:13:22 GMT";
const Fields kFirstResponse = {{":status", "302"},
                               {"cache-control", "private"},
                               {"date", kDate},
                               {"location", "https://www.example.com"}};
const Fields kSecondResponse = {{":status", "307"},
                                {"cache-control", "private"},
                                {"date", kDate},
                                {"location", "https://www.example.com"}};
const Fields kThirdResponse = {
    {":status", "200"},
    {"cache-control", "private"},
    {"date", kLaterDate},
    {"location", "https://www.example.com"},
    {"content-encoding", "gzip"},
    {"set-cookie", "foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1"}};

// The examples have a table of 256 bytes, so that fields are evicted: 3fe1 01 says that.
TEST(HpackExamples, C5ResponsesWithoutHuffman) {
  expect_blocks(
      {{"3fe1 01 4803 3330 3258 0770 7269 7661 7465 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 "
        "2032 303a 3133 3a32 3120 474d 546e 1768 7474 7073 3a2f 2f77 7777 2e65 7861 6d70 6c65 "
        "2e63 6f6d",
        kFirstResponse},
       {"4803 3330 37c1 c0bf", kSecondResponse},
       {"88c1 611d 4d6f 6e2c 2032 3120 4f63 7420 3230 3133 2032 303a 3133 3a32 3220 474d 54c0 5a04 "
        "677a 6970 7738 666f 6f3d 4153 444a 4b48 514b 425a 584f 5157 454f 5049 5541 5851 5745 4f49 "
        "553b 206d 6178 2d61 6765 3d33 3630 303b 2076 6572 7369 6f6e 3d31",
        kThirdResponse}});
}

TEST(HpackExamples, C6ResponsesWithHuffman) {
  expect_blocks(
      {{"3fe1 01 4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 "
        "2d1b ff6e 919d 29ad 1718 63c7 8f0b 97c8 e9ae 82ae 43d3",
        kFirstResponse},
       {"4883 640e ffc1 c0bf", kSecondResponse},
       {"88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7 "
        "821d d7f2 e6c7 b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed "
        "4ee5 b106 3d50 07",
        kThirdResponse}});
}

// --- rules ------------------------------------------------------------------------------------

TEST(HpackRules, S2_3_3_IndexWithinBothTables) {
  expect_refused("80");                                 // index 0
  expect_refused("be");                                 // behind the static table, nothing there
  expect_refused("ff 80 01");                           // 255
  expect_refused("7f 00 01 61");                        // a name at index 63
  expect_blocks({{"bd", {{"www-authenticate", ""}}}});  // 61, the last of the static one
}

TEST(HpackRules, S4_2_SizeUpdateAtTheBeginningOnly) {
  expect_blocks({{"20 82", {{":method", "GET"}}}});
  expect_blocks({{"20 3f e1 1f 82", {{":method", "GET"}}}});  // two: the least, then the last
  expect_blocks({{"20", {}}});
  expect_refused("82 20");
}

TEST(HpackRules, S4_3_SmallerTableEvicts) {
  expect_blocks(
      {{"40 01 61 01 62", {{"a", "b"}}}, {"be", {{"a", "b"}}}, {"20 82", {{":method", "GET"}}}});
  HpackDecoder decoder;
  EXPECT_TRUE(decode(decoder, bytes("40 01 61 01 62")).good);
  EXPECT_TRUE(decode(decoder, bytes("20")).good);
  EXPECT_FALSE(decode(decoder, bytes("be")).good);
}

TEST(HpackRules, S4_4_FieldLargerThanTheTableEmptiesIt) {
  HpackDecoder decoder;
  EXPECT_TRUE(decode(decoder, bytes("40 01 61 01 62")).good);
  const std::string large =
      bytes("40 40") + std::string(64, 'n') + bytes("7f a1 1f") + std::string(0x7f + 0xfa1, 'v');
  const Decoded decoded = decode(decoder, large);
  EXPECT_TRUE(decoded.good);
  ASSERT_EQ(decoded.fields.size(), 1U);
  EXPECT_EQ(decoded.fields[0].second.size(), 0x7fU + 0xfa1U);
  EXPECT_FALSE(decode(decoder, bytes("be")).good);
}

TEST(HpackRules, S4_4_NameOfAnEntryThatIsEvictedByTheNewOne) {
  HpackDecoder fresh;
  const std::string name(200, 'n');
  EXPECT_TRUE(decode(fresh, bytes("3f e1 01")).good);  // 256 bytes
  EXPECT_TRUE(decode(fresh, bytes("40 7f 49") + name + bytes("01 61")).good);
  const Decoded decoded = decode(fresh, bytes("7e 02") + "bb");  // its own name, another value
  EXPECT_TRUE(decoded.good);
  EXPECT_EQ(decoded.fields, (Fields{{name, "bb"}}));
  EXPECT_EQ(decode(fresh, bytes("be")).fields, (Fields{{name, "bb"}}));
}

TEST(HpackRules, S5_1_Integers) {
  expect_blocks({{"0f 2e 00", {{"www-authenticate", ""}}}});  // 15 + 46 = 61
  expect_refused("ff 80 80 80 80 80 80 80 80 80 01");         // more bytes than any number needs
  expect_refused("ff ff ff ff ff ff 0f");                     // more than 32 bits
  expect_refused("ff");                                       // unfinished
  expect_refused("ff 80");
}

TEST(HpackRules, S5_2_Strings) {
  expect_refused("40 01 61 81 ff");           // eight bits of padding
  expect_refused("40 01 61 82 1f ff");        // a whole byte of padding
  expect_refused("40 01 61 81 18");           // padding that is not ones
  expect_refused("40 01 61 84 ff ff ff ff");  // EOS
  expect_refused("40 01 61 05 61");           // shorter than it says
  expect_refused("40 01 61");                 // no value
  expect_refused("00 7f ff ff 7f");           // a name of 2 MiB
  expect_blocks({{"40 80 80", {{"", ""}}}});  // empty is for others to judge
  expect_blocks({{"40 81 1f 81 1f", {{"a", "a"}}}});
}

TEST(HpackRules, S6_3_SizeUpdateWithinTheLimit) {
  expect_blocks({{"3f e1 1f", {}}});  // 4096
  expect_refused("3f e2 1f");         // 4097
}

TEST(HpackRules, BlocksDoNotOverlap) {
  HpackDecoder decoder;
  EXPECT_FALSE(decode(decoder, bytes("40 01")).good);
}

// --- encoding ---------------------------------------------------------------------------------

class HpackEncoding : public testing::Test {
 protected:
  std::string encode(std::string_view name, std::string_view value,
                     Indexing indexing = Indexing::kAllowed) {
    std::string out(HpackEncoder::bytes_max(name, value), '\0');
    out.resize(encoder_.encode(out.data(), name, value, indexing));
    return out;
  }

  void expect_decoded(std::string_view block, const Fields& fields) {
    const Decoded decoded = decode(decoder_, block);
    EXPECT_TRUE(decoded.good);
    EXPECT_EQ(decoded.fields, fields);
  }

  HpackEncoder encoder_;
  HpackDecoder decoder_;
};

TEST_F(HpackEncoding, RepeatedFieldsAreOneByte) {
  EXPECT_EQ(encode(":status", "200"), bytes("88"));
  EXPECT_EQ(encode(":method", "POST"), bytes("83"));
  expect_decoded(encode("x-custom", "value"), {{"x-custom", "value"}});
  EXPECT_EQ(encode("x-custom", "value"), bytes("be"));
  expect_decoded(encode("server", "hangu"), {{"server", "hangu"}});
  EXPECT_EQ(encode("x-custom", "value"), bytes("bf"));
}

TEST_F(HpackEncoding, SecretsAreNeverIndexed) {
  for (int i = 0; i < 2; ++i) {
    const std::string block = encode("cookie", "a=b", Indexing::kNever);
    EXPECT_EQ(block, bytes("1f 11 03") + "a=b");
    expect_decoded(block, {{"cookie", "a=b"}});
  }
  // Not even when the table has it.
  EXPECT_EQ(encode("accept-encoding", "gzip, deflate", Indexing::kNever).front(), 0x1f);
}

TEST_F(HpackEncoding, WhatChangesLeavesItsNameInTheTable) {
  expect_decoded(encode("x-request-id", "1", Indexing::kNot), {{"x-request-id", "1"}});
  const std::string block = encode("x-request-id", "2", Indexing::kNot);
  EXPECT_EQ(block, bytes("0f 2f 01") + "2");
  expect_decoded(block, {{"x-request-id", "2"}});
  EXPECT_EQ(encode("content-length", "42", Indexing::kNot), bytes("0f 0d 02") + "42");
}

TEST_F(HpackEncoding, FollowsThePeersTable) {
  expect_decoded(encode("a", "b"), {{"a", "b"}});
  encoder_.set_table_limit(0);
  encoder_.set_table_limit(10'000);
  // Both: what was in the table is gone.
  const std::string block = encode("a", "b");
  EXPECT_EQ(block.substr(0, 4), bytes("20 3f e1 1f"));
  expect_decoded(block, {{"a", "b"}});
  encoder_.set_table_limit(0);
  EXPECT_EQ(encode("a", "b"), bytes("20 00 01 61 01 62"));
}

TEST_F(HpackEncoding, LargeFieldsDoNotEmptyTheTable) {
  expect_decoded(encode("a", "b"), {{"a", "b"}});
  const std::string large(3000, 'v');
  expect_decoded(encode("x-large", large), {{"x-large", large}});
  EXPECT_EQ(encode("a", "b"), bytes("be"));
}

TEST_F(HpackEncoding, ManyFieldsKeepBothTablesTheSame) {
  for (int i = 0; i < 5000; ++i) {
    const std::string name = "x-" + std::to_string(i % 37);
    const std::string value(static_cast<size_t>(i * 7 % 200), static_cast<char>('a' + i % 26));
    expect_decoded(encode(name, value), {{name, value}});
  }
}

}  // namespace
}  // namespace hangu::codec::http2
