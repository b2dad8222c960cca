#include "hangu/codec/http1/body_decoder.h"

#include <cstdint>
#include <string>
#include <string_view>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/codec/body_replay.h"

namespace hangu::codec::http1::test {
namespace {

using http::BodyFraming;
using testing::EndsWith;
using testing::StartsWith;
using namespace std::string_view_literals;

struct Case {
  std::string_view input;
  std::string_view outcome;
};

TEST(BodyDecoder, Length) {
  const Body five{.framing = BodyFraming::kLength, .length = 5};
  EXPECT_EQ(decode("hello", five), "[hello] end +");
  EXPECT_EQ(decode("helloGET / HTTP/1.1\r\n", five), "[hello] end +GET / HTTP/1.1\r\n");
  EXPECT_EQ(decode("hell", five), "[hell] more");
  EXPECT_EQ(decode("hello", {.framing = BodyFraming::kLength}), "[] end +hello");
  EXPECT_EQ(decode("hello", {.framing = BodyFraming::kNone}), "[] end +hello");
  EXPECT_EQ(decode("\r\n0", {.framing = BodyFraming::kLength, .length = UINT64_MAX}),
            "[\r\n0] more");
}

TEST(BodyDecoder, SkipsWhatGoesAnotherWay) {
  BodyDecoder decoder;
  Memory memory;
  decoder.begin(BodyFraming::kLength, 10, memory.arena(), Limits{}, Side::kDownstream);
  decoder.skip(4);
  EXPECT_EQ(decoder.remaining(), 6U);
  EXPECT_FALSE(decoder.finished());
  const auto step = decoder.next("abcdefgh");
  ASSERT_TRUE(step.has_value());
  EXPECT_EQ(step->data, "abcdef");
  EXPECT_EQ(decoder.remaining(), 0U);

  decoder.begin(BodyFraming::kLength, UINT64_MAX, memory.arena(), Limits{}, Side::kDownstream);
  decoder.skip(UINT64_MAX);
  EXPECT_EQ(decoder.remaining(), 0U);
  EXPECT_TRUE(decoder.finished());
}

TEST(BodyDecoder, UntilClose) {
  EXPECT_EQ(decode("hello\r\n\r\n", {.framing = BodyFraming::kUntilClose}), "[hello\r\n\r\n] more");
}

TEST(BodyDecoder, Chunks) {
  constexpr Case kCases[] = {
      {"0\r\n\r\n", "[] end +"},
      {"0\r\n\r\nGET /", "[] end +GET /"},
      {"5\r\nhello\r\n0\r\n\r\n", "[hello] end +"},
      {"1\r\na\r\n2\r\nbc\r\n0\r\n\r\n\r\n", "[abc] end +\r\n"},
      {"4\r\n\r\n0\r\r\n0\r\n\r\n", "[\r\n0\r] end +"},
      {"a\r\n0123456789\r\nA\r\n0123456789\r\n000\r\n\r\n", "[01234567890123456789] end +"},
      {"000000000000002\r\nab\r\n0\r\n\r\n", "[ab] end +"},
      {"2;a\r\nab\r\n0\r\n\r\n", "[ab] end +"},
      {"2;a=b;c=\"d;\\\"\\\\\te\xff\"\r\nab\r\n0;x=y\r\n\r\n", "[ab] end +"},
      {"2 ; a\t= \"\" ;b=c\r\nab\r\n0\r\n\r\n", "[ab] end +"},
      {"fffffffffffffff\r\nab", "[ab] more"},
      {"2\r\nab\r\n", "[ab] more"},
      {"2\r\nab\r\n0\r\n", "[ab] more"},
      {"2\r\nab\r\n0\r\n\r", "[ab] more"},
  };
  for (const Case& c : kCases) {
    EXPECT_EQ(decode(c.input), c.outcome) << c.input;
  }
}

TEST(BodyDecoder, RefusesBadChunkSizes) {
  constexpr std::string_view kCases[] = {
      "\r\n0\r\n\r\n",
      ";a\r\n",
      " 2\r\nab",
      "+2\r\nab",
      "-2\r\nab",
      "0x2\r\nab",
      "2x\r\nab",
      "g\r\n",
      "2.0\r\nab",
      "2,2\r\nab",
      "2_0\r\nab",
      "\"2\"\r\nab",
      "2 \r\nab",
      "2\t\r\nab",
      "2 2\r\nab",
      "2 a\r\nab",
      "2\nab",
      "2\rab",
      "2\r\r\nab",
      "2\x0b\r\nab",
      "2\0\r\nab"sv,
      "\xb2\r\nab",
      "2;\r\nab",
      "0;\r\n\r\n",
      "0\n\r\n",
      "0 \r\n\r\n",
      "-0\r\n\r\n",
      "0x0\r\n\r\n",
      "1000000000000000\r\n",
      "0000000000000002\r\n",
      "10000000000000002\r\nab",
  };
  for (const std::string_view input : kCases) {
    EXPECT_THAT(decode(input), StartsWith("[] bad_chunk (")) << input;
  }
}

TEST(BodyDecoder, RefusesBadExtensions) {
  constexpr std::string_view kCases[] = {
      "2;a\nab",          "2;a\rb\r\nab",   "2;a=\r\nab",    "2;=b\r\nab",     "2;;a\r\nab",
      "2;a b\r\nab",      "2;a=b c\r\nab",  "2;a=b=c\r\nab", "2;a==b\r\nab",   "2;a=\"b\r\nab",
      "2;a=\"b\n\"",      "2;a=\"\\\r\n\"", "2;a=\"\0\""sv,  "2;a=\"b\"c\r\n", "2;a=b\"c\"\r\n",
      "2;a=\"b\"=\r\n",   "2;\x01\r\nab",   "2;a\xc3\r\nab", "2;a,b\r\nab",    "2;a=\x7f\r\n",
      "2;a=\"\x7f\"\r\n",
  };
  for (const std::string_view input : kCases) {
    EXPECT_THAT(decode(input), StartsWith("[] bad_chunk (")) << input;
  }
}

TEST(BodyDecoder, RefusesChunksThatAreNotAsLongAsTheySay) {
  constexpr std::string_view kCases[] = {
      "2\r\nabc\r\n0\r\n\r\n", "2\r\nab0\r\n\r\n",         "2\r\nab\n0\r\n\r\n",
      "2\r\nab\r0\r\n\r\n",    "2\r\nab\r\n\r\n0\r\n\r\n",
  };
  for (const std::string_view input : kCases) {
    EXPECT_THAT(decode(input), StartsWith("[ab] bad_chunk (")) << input;
  }
}

TEST(BodyDecoder, LimitsChunkLines) {
  const Body body{.limits = {.chunk_line_bytes = 32}};
  const std::string behind = "\r\nab\r\n0\r\n\r\n";
  EXPECT_EQ(decode("2;" + std::string(30, 'a') + behind, body), "[ab] end +");
  EXPECT_THAT(decode("2;" + std::string(31, 'a') + behind, body), StartsWith("[] bad_chunk ("));
  EXPECT_THAT(decode("2;a=\"" + std::string(40, 'a'), body), StartsWith("[] bad_chunk ("));
  EXPECT_THAT(decode("2" + std::string(40, ' '), body), StartsWith("[] bad_chunk ("));
}

TEST(BodyDecoder, LimitsExtensionsOfAWholeBody) {
  std::string input;
  for (int i = 0; i < 100; ++i) {
    input += "1;" + std::string(150, 'a') + "\r\nx\r\n";
  }
  EXPECT_THAT(decode(input + "0\r\n\r\n"), EndsWith("x] end +"));
  EXPECT_THAT(decode(input + input), EndsWith("x] bad_chunk (too many bytes of chunk extensions)"));
}

}  // namespace
}  // namespace hangu::codec::http1::test
