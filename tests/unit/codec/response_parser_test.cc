#include "hangu/codec/http1/response_parser.h"

#include <string>
#include <string_view>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/codec/replay.h"

namespace hangu::codec::http1::test {
namespace {

using http::Method;
using testing::StartsWith;
using namespace std::string_view_literals;

/// "200 OK 1.1, length 5, keep-alive"
std::string describe(const http::ResponseHead& head) {
  std::string text = std::to_string(head.status) + " ";
  text.append(head.reason).append(head.version == http::Version::kHttp11 ? " 1.1, " : " 1.0, ");
  text.append(test::describe(head.framing, head.content_length));
  return text.append(head.keep_alive ? ", keep-alive" : ", close")
      .append(head.upgrade ? ", upgrade" : "");
}

std::string replay_response(std::string_view input, Method method = Method::kGet,
                            const Limits& limits = {}) {
  return replay(input, [&](const Cuts& cuts) {
    Memory memory;
    HeadReader reader(HeadScanner::Kind::kResponse, limits);
    return read_head(cuts, Side::kUpstream, reader, memory.arena(), [&](std::string_view head) {
      http::ResponseHead response;
      response.reset(memory.arena());
      const auto parsed = parse_response_head(head, method, limits, response);
      return parsed ? describe(response) : test::describe(parsed.error(), Side::kUpstream);
    });
  });
}

struct Case {
  std::string_view input;  // without the empty line
  std::string_view outcome;
};

std::string with_end(std::string_view lines) {
  return std::string(lines) + "\r\n";
}

TEST(ResponseParser, UnderstandsStatusLines) {
  constexpr Case kCases[] = {
      {"HTTP/1.1 200 OK\r\n", "200 OK 1.1, until-close, close +"},
      {"HTTP/1.1 200 \r\n", "200  1.1, until-close, close +"},
      {"HTTP/1.1 200\r\n", "200  1.1, until-close, close +"},
      {"HTTP/1.1 404 Not  Found\t\xc3\xa9\r\n",
       "404 Not  Found\t\xc3\xa9 1.1, until-close, close +"},
      {"HTTP/1.0 599 x\r\nContent-Length: 1\r\n", "599 x 1.0, length 1, close +"},
  };
  for (const Case& c : kCases) {
    EXPECT_EQ(replay_response(with_end(c.input)), c.outcome) << c.input;
  }
}

TEST(ResponseParser, RefusesBadStatusLines) {
  constexpr std::string_view kBad = "bad_status_line (";
  constexpr std::string_view kVersion = "bad_version (";
  constexpr Case kCases[] = {
      {"HTTP/1.1 20\r\n", kBad},          {"HTTP/1.1 \r\n", kBad},
      {"HTTP/1.1 2000 OK\r\n", kBad},     {"HTTP/1.1 200OK\r\n", kBad},
      {"HTTP/1.1 200\tOK\r\n", kBad},     {"HTTP/1.1  200 OK\r\n", kBad},
      {"HTTP/1.1 +20 OK\r\n", kBad},      {"HTTP/1.1 2x0 OK\r\n", kBad},
      {"HTTP/1.1 099 OK\r\n", kBad},      {"HTTP/1.1 600 OK\r\n", kBad},
      {"HTTP/1.1 200 a\0b\r\n"sv, kBad},  {"HTTP/1.1 200 a\x7f\r\n", kBad},
      {"HTTP/1.1 200 a\x0b\r\n", kBad},   {"HTTP/1.1 200 a\rb\r\n", kBad},
      {"HTTP/1.1 200 OK\r\r\n", kBad},    {"HTTP/1.1 200 OK\nX: y\r\n", kBad},
      {"XTTP/1.1 200 OK\r\n", kBad},      {"\r\nHTTP/1.1 200 OK\r\n", kBad},
      {" HTTP/1.1 200 OK\r\n", kBad},     {"HTTP/1.1\r\n", kVersion},
      {"HTTP/1.1\t200 OK\r\n", kVersion}, {"HTTP/1.2 200 OK\r\n", kVersion},
      {"HTTP/2.0 200 OK\r\n", kVersion},  {"HTTP/2 200\r\n", kVersion},
      {"Http/1.1 200 OK\r\n", kVersion},  {"HTTP/1.10 200 OK\r\n", kVersion},
  };
  for (const Case& c : kCases) {
    EXPECT_THAT(replay_response(with_end(c.input)), StartsWith(std::string(c.outcome))) << c.input;
  }
}

TEST(ResponseParser, FramesByTheFields) {
  constexpr Case kCases[] = {
      {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n", "200 OK 1.1, length 5, keep-alive +"},
      {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n", "200 OK 1.1, length 0, keep-alive +"},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n", "200 OK 1.1, chunked, keep-alive +"},
      {"HTTP/1.1 205 X\r\nContent-Length: 0\r\n", "205 X 1.1, length 0, keep-alive +"},
      {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n",
       "200 OK 1.1, length 5, close +"},
      {"HTTP/1.1 200 OK\r\nConnection: keep-alive\r\n", "200 OK 1.1, until-close, close +"},
      {"HTTP/1.0 200 OK\r\nContent-Length: 5\r\nConnection: keep-alive\r\n",
       "200 OK 1.0, length 5, keep-alive +"},
      {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: Transfer-Encoding\r\nX_Y: z\r\n",
       "200 OK 1.1, length 5, keep-alive +"},
      {"HTTP/1.1 204 X\r\n", "204 X 1.1, none, keep-alive +"},
      {"HTTP/1.1 204 X\r\nContent-Length: 0\r\n", "204 X 1.1, none, keep-alive +"},
      {"HTTP/1.1 204 X\r\nContent-Length: 5\r\n", "204 X 1.1, none, close +"},
      {"HTTP/1.1 204 X\r\nTransfer-Encoding: chunked\r\n", "204 X 1.1, none, close +"},
      {"HTTP/1.1 304 X\r\nContent-Length: 5\r\n", "304 X 1.1, none, keep-alive +"},
      {"HTTP/1.1 304 X\r\nTransfer-Encoding: chunked\r\n", "304 X 1.1, none, keep-alive +"},
      {"HTTP/1.1 100 Continue\r\n", "100 Continue 1.1, none, keep-alive +"},
      {"HTTP/1.1 103 X\r\nLink: </a>\r\n", "103 X 1.1, none, keep-alive +"},
  };
  for (const Case& c : kCases) {
    EXPECT_EQ(replay_response(with_end(c.input)), c.outcome) << c.input;
  }
}

TEST(ResponseParser, ResponseToHeadHasNoBody) {
  constexpr Case kCases[] = {
      {"HTTP/1.1 200 OK\r\n", "200 OK 1.1, none, keep-alive +"},
      {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n", "200 OK 1.1, none, keep-alive +"},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n", "200 OK 1.1, none, keep-alive +"},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n", "bad_framing"},
  };
  for (const Case& c : kCases) {
    EXPECT_THAT(replay_response(with_end(c.input), Method::kHead),
                StartsWith(std::string(c.outcome)))
        << c.input;
  }
}

TEST(ResponseParser, RefusesAmbiguousFraming) {
  constexpr std::string_view kFraming = "bad_framing (";
  constexpr Case kCases[] = {
      {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n", kFraming},
      {"HTTP/1.1 304 X\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n", kFraming},
      {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n", kFraming},
      {"HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n", kFraming},
      {"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n", kFraming},
      {"HTTP/1.1 304 X\r\nContent-Length: x\r\n", kFraming},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked, x\r\n", kFraming},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding:\r\n", kFraming},
      {"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n", kFraming},
      {"HTTP/1.1 100 X\r\nContent-Length: 0\r\n", kFraming},
      {"HTTP/1.1 101 X\r\nUpgrade: a\r\nTransfer-Encoding: chunked\r\n", kFraming},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n", "not_implemented ("},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\n", "not_implemented ("},
      {"HTTP/1.1 200 OK\r\nTransfer-Encoding : chunked\r\n", "bad_header ("},
      {"HTTP/1.1 200 OK\r\nConnection: Content-Length\r\n", "bad_header ("},
  };
  for (const Case& c : kCases) {
    EXPECT_THAT(replay_response(with_end(c.input)), StartsWith(std::string(c.outcome))) << c.input;
  }
}

TEST(ResponseParser, RefusesWhatSplitsResponses) {
  constexpr std::string_view kCases[] = {
      "X: a\nSet-Cookie: b\r\n",
      "X: a\n\nHTTP/1.1 200 OK\r\n",
      "X: a\rSet-Cookie: b\r\n",
      "X: a\r\r\n",
      "X: a\0\r\n"sv,
      "X: a\r\n b\r\n",
      "X : a\r\n",
      "X\r\n",
      ": a\r\n",
  };
  for (const std::string_view fields : kCases) {
    const std::string input = "HTTP/1.1 200 OK\r\n" + with_end(fields);
    EXPECT_THAT(replay_response(input), StartsWith("bad_header (")) << fields;
  }
}

TEST(ResponseParser, SwitchesProtocols) {
  EXPECT_EQ(replay_response("HTTP/1.1 101 X\r\nConnection: upgrade\r\nUpgrade: a\r\n\r\n\x01\x02"),
            "101 X 1.1, none, close, upgrade +\x01\x02");
  EXPECT_THAT(replay_response("HTTP/1.1 101 X\r\nConnection: upgrade\r\n\r\n"),
              StartsWith("bad_header ("));
  EXPECT_THAT(replay_response("HTTP/1.0 101 X\r\nUpgrade: a\r\n\r\n"), StartsWith("bad_header ("));
}

TEST(ResponseParser, LeavesTheFinalResponseBehindAnInterimOne) {
  EXPECT_EQ(replay_response("HTTP/1.1 100 X\r\n\r\nHTTP/1.1 200 OK\r\n\r\n"),
            "100 X 1.1, none, keep-alive +HTTP/1.1 200 OK\r\n\r\n");
}

TEST(ResponseParser, KeepsContentLengthWhereThereIsNoBody) {
  std::string text = "HTTP/1.1 304 X\r\nContent-Length: 5\r\n\r\n";
  Memory memory;
  http::ResponseHead response;
  response.reset(memory.arena());
  ASSERT_TRUE(parse_response_head(text, Method::kGet, {}, response));
  EXPECT_EQ(test::describe(response.headers), " | Content-Length: 5");
}

TEST(ResponseParser, Limits) {
  const std::string line(48, 'x');
  EXPECT_THAT(replay_response("HTTP/1.1 200 " + line + "\r\n\r\n", Method::kGet,
                              {.request_line_bytes = 60}),
              StartsWith("headers_too_large ("));
  EXPECT_THAT(replay_response("HTTP/1.1 200 OK\r\nX: " + line + "\r\n\r\n", Method::kGet,
                              {.header_line_bytes = 50}),
              StartsWith("headers_too_large ("));
  EXPECT_THAT(
      replay_response("HTTP/1.1 200 OK\r\nA:\r\nB:\r\n\r\n", Method::kGet, {.headers_count = 1}),
      StartsWith("headers_too_large ("));
}

}  // namespace
}  // namespace hangu::codec::http1::test
