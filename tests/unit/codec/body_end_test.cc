// How bodies end: trailers, the end of the connection, and the decoder's state behind it.
#include <cstdint>
#include <string>
#include <string_view>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/codec/body_replay.h"

namespace hangu::codec::http1::test {
namespace {

using http::BodyFraming;
using testing::StartsWith;
using namespace std::string_view_literals;

using Kind = BodyDecoder::Step::Kind;

std::string decode_trailers(std::string_view lines, const Body& body = {}) {
  return decode("1\r\na\r\n0\r\n" + std::string(lines) + "\r\n", body);
}

TEST(Trailers, AreKept) {
  EXPECT_EQ(decode_trailers("X-Checksum: 1\r\ngrpc-status:0 \r\n"),
            "[a] end | X-Checksum: 1 | grpc-status: 0 +");
  EXPECT_EQ(decode("0;x\r\nA:\r\n\r\nGET /"), "[] end | A:  +GET /");
}

TEST(Trailers, ForbiddenOnesAreDropped) {
  for (const std::string_view name : {"Host",
                                      "content-length",
                                      "Transfer-Encoding",
                                      "Connection",
                                      "Keep-Alive",
                                      "Upgrade",
                                      "TE",
                                      "Trailer",
                                      "Expect",
                                      "Authorization",
                                      "Cookie",
                                      "Set-Cookie",
                                      "Content-Type",
                                      "Content-Encoding",
                                      "Content-Range",
                                      "Cache-Control",
                                      "Range",
                                      "If-Match",
                                      "Proxy-Connection",
                                      "Proxy-Authorization",
                                      "X-Forwarded-For",
                                      "X-Forwarded-Host",
                                      "X-Forwarded-Proto",
                                      "Forwarded",
                                      "X-Real-IP",
                                      "X-Request-Id",
                                      "Traceparent"}) {
    const std::string line = std::string(name) + ": 1\r\n";
    EXPECT_EQ(decode_trailers(line), "[a] end +") << name;
    EXPECT_EQ(decode_trailers("A: 1\r\n" + line + line + "B: 2\r\n"), "[a] end | A: 1 | B: 2 +")
        << name;
  }
}

TEST(Trailers, RefusesBadSyntax) {
  constexpr std::string_view kCases[] = {
      "A\r\n",          ": a\r\n",     "A : b\r\n",    " A: b\r\n",
      "A: b\r\n c\r\n", "A: \x01\r\n", "A: b\0\r\n"sv, "A: b\rc\r\n",
      "A: b\r\r\n",     "A B: c\r\n",  "A_B: c\r\n",   "Transfer-Encoding : chunked\r\n",
      "A\xc3: b\r\n",
  };
  for (const std::string_view lines : kCases) {
    EXPECT_THAT(decode_trailers(lines), StartsWith("[a] bad_header (")) << lines;
  }
  constexpr std::string_view kBareLineFeeds[] = {"A: b\nC: d\r\n", "\nA: b\r\n", "A: b\n"};
  for (const std::string_view lines : kBareLineFeeds) {
    EXPECT_THAT(decode_trailers(lines), StartsWith("[a] bad_chunk (bare line feed")) << lines;
  }
}

TEST(Trailers, UnderscoresAreAMatterOfPolicy) {
  EXPECT_EQ(decode_trailers("A_B: c\r\n", {.limits = {.allow_underscore = true}}),
            "[a] end | A_B: c +");
}

TEST(Trailers, AreLimited) {
  const Body body{.limits = {.headers_count = 3, .trailer_bytes = 64}};
  const std::string most = "X: " + std::string(59, 'x') + "\r\n";
  EXPECT_THAT(decode_trailers(most, body), StartsWith("[a] end | X: xxx"));
  EXPECT_THAT(decode_trailers("X" + most, body), StartsWith("[a] headers_too_large ("));
  EXPECT_THAT(decode("0\r\nX: " + std::string(80, 'x'), body),
              StartsWith("[] headers_too_large ("));
  EXPECT_THAT(decode_trailers("A:\r\nB:\r\nC:\r\n", body), StartsWith("[a] end | A:"));
  EXPECT_THAT(decode_trailers("A:\r\nB:\r\nC:\r\nD:\r\n", body),
              StartsWith("[a] headers_too_large ("));
}

TEST(Trailers, LongSectionsAreWhole) {
  std::string lines;
  std::string expected;
  for (int i = 0; i < 90; ++i) {
    const std::string name = "X-" + std::to_string(i);
    const std::string value(80, static_cast<char>('a' + i % 26));
    lines += name + ": " + value + "\r\n";
    expected += " | " + name + ": " + value;
  }
  EXPECT_EQ(decode_trailers(lines), "[a] end" + expected + " +");
}

/// The connection ends behind `input`.
std::string decode_to_eof(std::string_view input, const Body& body) {
  BodyRun run(body);
  EXPECT_TRUE(run.feed(input));
  if (const auto ended = run.decoder().on_eof(); !ended) {
    EXPECT_FALSE(run.decoder().finished());
    return describe(ended.error(), body.side);
  }
  return run.outcome(input);
}

TEST(BodyEof, EndsOnlyWhatItMayEnd) {
  const Body two{.framing = BodyFraming::kLength, .length = 2, .side = Side::kUpstream};
  EXPECT_EQ(decode_to_eof("ab", {.framing = BodyFraming::kUntilClose}), "[ab] end +");
  EXPECT_EQ(decode_to_eof("", {.framing = BodyFraming::kUntilClose}), "[] end +");
  EXPECT_EQ(decode_to_eof("", {.framing = BodyFraming::kNone}), "[] end +");
  EXPECT_EQ(decode_to_eof("ab", two), "[ab] end +");
  EXPECT_THAT(decode_to_eof("a", two), StartsWith("unexpected_eof ("));
  EXPECT_EQ(decode_to_eof("0\r\n\r\n", {}), "[] end +");
}

TEST(BodyEof, CutsNoChunkedBodyShort) {
  const std::string input = "2;a=\"b\" ; c = d\r\nab\r\n0\r\nX: y\r\n\r\n";
  for (size_t size = 0; size < input.size(); ++size) {
    EXPECT_THAT(decode_to_eof(input.substr(0, size), {}), StartsWith("unexpected_eof (")) << size;
  }
}

TEST(BodyDecoderState, CountsWhatRemains) {
  Memory memory;
  BodyDecoder decoder;
  EXPECT_TRUE(decoder.finished());
  decoder.begin(BodyFraming::kLength, 5, memory.arena());
  EXPECT_EQ(decoder.remaining(), 5U);
  EXPECT_EQ(decoder.next("abc")->data, "abc");
  EXPECT_EQ(decoder.remaining(), 2U);
  EXPECT_EQ(decoder.next("de+")->consumed, 2U);
  EXPECT_TRUE(decoder.finished());
  EXPECT_EQ(decoder.next("+")->kind, Kind::kEnd);
  EXPECT_EQ(decoder.next("+")->consumed, 0U);
  decoder.begin(BodyFraming::kChunked, 0, memory.arena());
  EXPECT_EQ(decoder.remaining(), UINT64_MAX);
  decoder.begin(BodyFraming::kUntilClose, 0, memory.arena());
  EXPECT_EQ(decoder.remaining(), UINT64_MAX);
}

TEST(BodyDecoderState, NeedsMoreThanNothing) {
  Memory memory;
  BodyDecoder decoder;
  for (const BodyFraming framing :
       {BodyFraming::kLength, BodyFraming::kChunked, BodyFraming::kUntilClose}) {
    decoder.begin(framing, 5, memory.arena());
    EXPECT_EQ(decoder.next("")->kind, Kind::kNeedMore);
    EXPECT_FALSE(decoder.finished());
  }
}

TEST(BodyDecoderState, StaysFailedUntilItBeginsAnew) {
  Memory memory;
  BodyDecoder decoder;
  decoder.begin(BodyFraming::kChunked, 0, memory.arena());
  EXPECT_FALSE(decoder.next("x"));
  EXPECT_FALSE(decoder.next("0\r\n\r\n"));
  EXPECT_FALSE(decoder.finished());
  EXPECT_FALSE(decoder.on_eof());
  decoder.begin(BodyFraming::kChunked, 0, memory.arena());
  EXPECT_EQ(decoder.next("0\r\n\r\n")->kind, Kind::kEnd);
}

TEST(BodyDecoderState, ForgetsTheBodyBefore) {
  Memory memory;
  BodyDecoder decoder;
  for (const std::string_view before : {"5;abc=\"d", "1\r\na\r\n0\r\nA: b\r\n", "fff"}) {
    decoder.begin(BodyFraming::kChunked, 0, memory.arena());
    for (std::string_view rest = before; !rest.empty();) {
      rest.remove_prefix(decoder.next(rest)->consumed);
    }
    decoder.begin(BodyFraming::kChunked, 0, memory.arena());
    EXPECT_EQ(decoder.next("1\r\na")->data, "a") << before;
    EXPECT_EQ(decoder.next("\r\n0\r\n\r\n")->kind, Kind::kEnd) << before;
    EXPECT_EQ(decoder.trailers(), nullptr) << before;
  }
  decoder.begin(BodyFraming::kChunked, 0, memory.arena());
  EXPECT_EQ(decoder.next("0\r\nA: b\r\n\r\n")->kind, Kind::kEnd);
  EXPECT_NE(decoder.trailers(), nullptr);
  decoder.begin(BodyFraming::kNone, 0, memory.arena());
  EXPECT_EQ(decoder.trailers(), nullptr);
}

}  // namespace
}  // namespace hangu::codec::http1::test
