// What a request says about its connection, and how large it may be.
#include <string>
#include <string_view>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/codec/request_replay.h"

namespace hangu::codec::http1::test {
namespace {

using testing::StartsWith;

struct Case {
  std::string_view fields;
  std::string_view outcome;
};

TEST(RequestConnection, DecidesOnKeepAliveAndUpgrade) {
  constexpr Case kCases[] = {
      {"Connection: close\r\n", "POST / 1.1 a, none, close +"},
      {"Connection: Keep-Alive, , CLOSE\r\n", "POST / 1.1 a, none, close +"},
      {"Connection: keep-alive\r\nConnection: close\r\n", "POST / 1.1 a, none, close +"},
      {"Connection:\r\n", "POST / 1.1 a, none, keep-alive +"},
      {"Connection: x-own, TE, Keep-Alive\r\n", "POST / 1.1 a, none, keep-alive +"},
      {"Connection: upgrade\r\nUpgrade: websocket\r\n",
       "POST / 1.1 a, none, keep-alive, upgrade +"},
      {"Upgrade: a/1, b\r\nConnection: x, Upgrade\r\n",
       "POST / 1.1 a, none, keep-alive, upgrade +"},
      {"Connection: upgrade\r\nUpgrade: websocket\r\nContent-Length: 0\r\n",
       "POST / 1.1 a, length 0, keep-alive, upgrade +"},
      {"Upgrade: websocket\r\n", "POST / 1.1 a, none, keep-alive +"},
      {"Connection: upgrade\r\n", "POST / 1.1 a, none, keep-alive +"},
      {"Connection: upgrade\r\nUpgrade:\r\n", "POST / 1.1 a, none, keep-alive +"},
      {"Connection: upgrade\r\nUpgrade: h2c\r\n", "POST / 1.1 a, none, keep-alive +"},
      {"Connection: upgrade\r\nUpgrade: websocket, H2C\r\n", "POST / 1.1 a, none, keep-alive +"},
      {"Connection: upgrade\r\nUpgrade: TLS/1.0\r\n", "POST / 1.1 a, none, keep-alive +"},
      {"Connection: upgrade\r\nUpgrade: HTTP/2.0\r\n", "POST / 1.1 a, none, keep-alive +"},
      {"Connection: upgrade\r\nUpgrade: a\r\nUpgrade: h2c\r\n", "POST / 1.1 a, none, keep-alive +"},
      {"Connection: upgrade\r\nUpgrade: h2c\r\nUpgrade: a\r\n", "POST / 1.1 a, none, keep-alive +"},
      {"Connection: upgrade\r\nUpgrade: a\r\nContent-Length: 1\r\n",
       "POST / 1.1 a, length 1, keep-alive +"},
      {"Connection: upgrade\r\nUpgrade: a\r\nTransfer-Encoding: chunked\r\n",
       "POST / 1.1 a, chunked, keep-alive +"},
      {"Expect: 100-Continue\r\n", "POST / 1.1 a, none, keep-alive, expect +"},
  };
  for (const Case& c : kCases) {
    EXPECT_EQ(replay_fields(c.fields), c.outcome) << c.fields;
  }
}

TEST(RequestConnection, Http10IsClosedUnlessItAsks) {
  EXPECT_EQ(replay_request("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"),
            "GET / 1.0 , none, keep-alive +");
  EXPECT_EQ(replay_request("GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n"),
            "GET / 1.0 , none, close +");
  EXPECT_EQ(replay_request("GET / HTTP/1.0\r\nConnection: upgrade\r\nUpgrade: a\r\n"
                           "Expect: 100-continue\r\n\r\n"),
            "GET / 1.0 , none, close +");
}

TEST(RequestConnection, MayNotNameEndToEndFields) {
  for (const std::string_view name :
       {"Host", "content-length", "Transfer-Encoding", "Authorization", "Cookie", "X-Forwarded-For",
        "X-Forwarded-Anything", "Forwarded", "X-Real-IP", "X-Request-Id", "Traceparent",
        "Content-Type", "Expect", "Cache-Control", "a b", "\"close\"", "close;q=1", "close\x0b"}) {
    const std::string fields = "Connection: close, " + std::string(name) + "\r\n";
    EXPECT_THAT(replay_fields(fields), StartsWith("bad_header (")) << name;
  }
}

TEST(RequestConnection, NamesFewFields) {
  std::string list = "x0";
  for (int i = 1; i < 32; ++i) {
    list += ",x" + std::to_string(i);
  }
  EXPECT_THAT(replay_fields("Connection: " + list + "\r\n"), StartsWith("POST / "));
  EXPECT_THAT(replay_fields("Connection: " + list + "\r\nConnection: y\r\n"),
              StartsWith("bad_header ("));
}

TEST(RequestConnection, RefusesOtherExpectations) {
  EXPECT_THAT(replay_fields("Expect: 200-ok\r\n"), StartsWith("expectation_failed ("));
  EXPECT_THAT(replay_fields("Expect: 100-continue, x\r\n"), StartsWith("expectation_failed ("));
  EXPECT_THAT(replay_fields("Expect:\r\n"), StartsWith("expectation_failed ("));
}

std::string padded(std::string_view before, size_t total, std::string_view after) {
  std::string text(before);
  text.append(total - before.size() - after.size(), 'x');
  return text.append(after);
}

TEST(RequestLimits, OfTheRequestLine) {
  const Limits limits{.request_line_bytes = 64};
  const std::string most = padded("GET /", 64, " HTTP/1.1") + "\r\nHost: a\r\n\r\n";
  EXPECT_THAT(replay_request(most, limits), StartsWith("GET /xxx"));
  EXPECT_THAT(replay_request("\r\n" + most, limits), StartsWith("GET /xxx"));
  const std::string more = padded("GET /", 65, " HTTP/1.1") + "\r\nHost: a\r\n\r\n";
  EXPECT_THAT(replay_request(more, limits), StartsWith("uri_too_long ("));
  EXPECT_THAT(replay_request("\r\n" + more, limits), StartsWith("uri_too_long ("));
  EXPECT_EQ(replay_request(padded("GET /", 66, ""), limits), "need more");
  EXPECT_THAT(replay_request(padded("GET /", 67, ""), limits), StartsWith("uri_too_long ("));
}

TEST(RequestLimits, OfOneFieldLine) {
  const Limits limits{.header_line_bytes = 48};
  EXPECT_THAT(replay_fields(padded("X: ", 48, "") + "\r\n", limits), StartsWith("POST / "));
  EXPECT_THAT(replay_fields(padded("X: ", 49, "") + "\r\n", limits),
              StartsWith("headers_too_large ("));
  EXPECT_THAT(replay_fields(padded("X", 49, "") + "\r\n", limits),
              StartsWith("headers_too_large ("));
}

TEST(RequestLimits, OfAllFieldLines) {
  const Limits limits{.headers_bytes = 100};
  const std::string host = "Host: a\r\n";
  const std::string most = padded("X: ", 100 - host.size(), "\r\n");
  EXPECT_THAT(replay_fields(most, limits), StartsWith("POST / "));
  EXPECT_THAT(replay_fields("X" + most, limits), StartsWith("headers_too_large ("));
  EXPECT_THAT(replay_fields(most + "Y:\r\n", limits), StartsWith("headers_too_large ("));
}

TEST(RequestLimits, OfTheNumberOfFields) {
  const Limits limits{.headers_count = 4};
  EXPECT_THAT(replay_fields("A:\r\nA:\r\nA:\r\n", limits), StartsWith("POST / "));
  EXPECT_THAT(replay_fields("A:\r\nA:\r\nA:\r\nA:\r\n", limits), StartsWith("headers_too_large ("));
}

TEST(RequestLimits, DefaultsAreAsDocumented) {
  const auto get = [](size_t bytes) {
    return padded("GET /", bytes, " HTTP/1.1") + "\r\nHost: a\r\n\r\n";
  };
  EXPECT_THAT(replay_request(get(8192)), StartsWith("GET /xxx"));
  EXPECT_THAT(replay_request(get(8193)), StartsWith("uri_too_long ("));
  const std::string line = padded("X: ", 15000, "\r\n");
  EXPECT_THAT(replay_fields(line + line + line + line), StartsWith("POST / "));
  EXPECT_THAT(replay_fields(line + line + line + line + line), StartsWith("headers_too_large ("));
  EXPECT_THAT(replay_fields(padded("X: ", 16384, "") + "\r\n"), StartsWith("POST / "));
  EXPECT_THAT(replay_fields(padded("X: ", 16385, "") + "\r\n"), StartsWith("headers_too_large ("));
}

}  // namespace
}  // namespace hangu::codec::http1::test
