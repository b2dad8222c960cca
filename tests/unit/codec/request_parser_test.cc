#include "hangu/codec/http1/request_parser.h"

#include <string>
#include <string_view>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/codec/request_replay.h"

namespace hangu::codec::http1::test {
namespace {

using testing::StartsWith;
using namespace std::string_view_literals;

struct Case {
  std::string_view input;
  std::string_view outcome;  // of a bad request, how it begins
};

TEST(RequestParser, UnderstandsRequestLines) {
  constexpr Case kCases[] = {
      {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", "GET / 1.1 a, none, keep-alive +"},
      {"GET /a%20b/../c?x=1&y=?/ HTTP/1.1\r\nHost: a\r\n\r\n",
       "GET /a%20b/../c?x=1&y=?/ 1.1 a, none, keep-alive +"},
      {"GET /? HTTP/1.1\r\nHost: a\r\n\r\n", "GET /? 1.1 a, none, keep-alive +"},
      {"HEAD //a HTTP/1.1\r\nHost: a\r\n\r\n", "HEAD //a 1.1 a, none, keep-alive +"},
      {"get / HTTP/1.1\r\nHost: a\r\n\r\n", "get / 1.1 a, none, keep-alive +"},
      {"M-SEARCH!#$%&'*+.^_`|~9 / HTTP/1.1\r\nHost: a\r\n\r\n",
       "M-SEARCH!#$%&'*+.^_`|~9 / 1.1 a, none, keep-alive +"},
      {"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", "OPTIONS * 1.1 a, none, keep-alive +"},
      {"OPTIONS http://a HTTP/1.1\r\nHost: a\r\n\r\n", "OPTIONS * 1.1 a, none, keep-alive +"},
      {"OPTIONS http://a?q HTTP/1.1\r\nHost: a\r\n\r\n", "OPTIONS /?q 1.1 a, none, keep-alive +"},
      {"GET http://a HTTP/1.1\r\nHost: a\r\n\r\n", "GET / 1.1 a, none, keep-alive +"},
      {"GET http://a?q HTTP/1.1\r\nHost: a\r\n\r\n", "GET /?q 1.1 a, none, keep-alive +"},
      {"GET HTTPS://A.b:8443/P?q HTTP/1.1\r\nHost: a.B:8443\r\n\r\n",
       "GET /P?q 1.1 a.b:8443, none, keep-alive +"},
      {"GET / HTTP/1.0\r\n\r\n", "GET / 1.0 , none, close +"},
      {"GET http://a/ HTTP/1.0\r\n\r\n", "GET / 1.0 a, none, close +"},
      {"\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", "GET / 1.1 a, none, keep-alive +"},
      {"GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /n", "GET / 1.1 a, none, keep-alive +GET /n"},
      {"GET / HTTP/1.1\r\nHost: a\r\n\r\n\r\n", "GET / 1.1 a, none, keep-alive +\r\n"},
      {"GET / HTTP/1.1\r\nHost: a\r\n", "need more"},
      {"GET / HTTP/1.1\r\nHost: a\r\n\r", "need more"},
  };
  for (const Case& c : kCases) {
    EXPECT_EQ(replay_request(c.input), c.outcome) << c.input;
  }
}

TEST(RequestParser, RefusesBadRequestLines) {
  constexpr std::string_view kBad = "bad_request_line (";
  constexpr std::string_view kVersion = "bad_version (";
  constexpr Case kCases[] = {
      {"GET /", "need more"},
      {"GET /\r\n\r\n", kBad},  // HTTP/0.9
      {"GET\r\n\r\n", kBad},
      {"GET  / HTTP/1.1\r\n\r\n", kBad},
      {"GET /  HTTP/1.1\r\n\r\n", kBad},
      {"GET\t/ HTTP/1.1\r\n\r\n", kBad},
      {"GET /\tHTTP/1.1\r\n\r\n", kBad},
      {"GET / HTTP/1.1 \r\n\r\n", kBad},
      {"GET / HTTP/1.1\t\r\n\r\n", kBad},
      {"GET / \r\n\r\n", kBad},
      {"GET /a b HTTP/1.1\r\n\r\n", kBad},
      {" GET / HTTP/1.1\r\n\r\n", kBad},
      {"\tGET / HTTP/1.1\r\n\r\n", kBad},
      {"G(T / HTTP/1.1\r\n\r\n", kBad},
      {"G\0T / HTTP/1.1\r\n\r\n"sv, kBad},
      {"G\xc3T / HTTP/1.1\r\n\r\n", kBad},
      {"GET /a\0b HTTP/1.1\r\n\r\n"sv, kBad},
      {"GET /a\x7f HTTP/1.1\r\n\r\n", kBad},
      {"GET /a\x0b HTTP/1.1\r\n\r\n", kBad},
      {"GET /a#b HTTP/1.1\r\n\r\n", kBad},
      {"GET /0123456789abcdef0123456789#b HTTP/1.1\r\n\r\n", kBad},
      {"GET a HTTP/1.1\r\n\r\n", kBad},
      {"GET a/b HTTP/1.1\r\n\r\n", kBad},
      {"GET ?a HTTP/1.1\r\n\r\n", kBad},
      {"GET * HTTP/1.1\r\n\r\n", kBad},
      {"OPTIONS *a HTTP/1.1\r\n\r\n", kBad},
      {"GET ftp://a/ HTTP/1.1\r\n\r\n", kBad},
      {"GET http:/a HTTP/1.1\r\n\r\n", kBad},
      {"\x16\x03\x01\x02", kBad},  // TLS
      {"\r\n\r\nGET / HTTP/1.1\r\n\r\n", kBad},
      {"\nGET / HTTP/1.1\r\n\r\n", kBad},
      {"\rGET / HTTP/1.1\r\n\r\n", kBad},
      {"\r\r\nGET / HTTP/1.1\r\n\r\n", kBad},
      {"GET / HTTP/1.1\nHost: a\r\n\r\n", kBad},
      {"GET / HTTP/1.1\n\n", kBad},
      {"GET / HTTP/1.1\rHost: a\r\n\r\n", kBad},
      {"GET /\rHTTP/1.1\r\n\r\n", kBad},
      {"GET / HTTP/1.1\r\r\nHost: a\r\n\r\n", kBad},
      {"GET / HTTP/0.9\r\nHost: a\r\n\r\n", kVersion},
      {"GET / HTTP/1.2\r\nHost: a\r\n\r\n", kVersion},
      {"GET / HTTP/1.10\r\nHost: a\r\n\r\n", kVersion},
      {"GET / HTTP/01.1\r\nHost: a\r\n\r\n", kVersion},
      {"GET / HTTP/2\r\nHost: a\r\n\r\n", kVersion},
      {"GET / HTTP/3.0\r\nHost: a\r\n\r\n", kVersion},
      {"GET / http/1.1\r\nHost: a\r\n\r\n", kVersion},
      {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", kVersion},
  };
  for (const Case& c : kCases) {
    EXPECT_THAT(replay_request(c.input), StartsWith(std::string(c.outcome))) << c.input;
  }
}

TEST(RequestParser, RefusesConnect) {
  EXPECT_THAT(replay_request("CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n"),
              StartsWith("not_implemented ("));
  EXPECT_THAT(replay_request("CONNECT a:443 HTTP/1.1\r\nHost: b:443\r\n\r\n"),
              StartsWith("bad_host ("));
  EXPECT_THAT(replay_request("CONNECT /a HTTP/1.1\r\nHost: a\r\n\r\n"), StartsWith("bad_host ("));
}

}  // namespace
}  // namespace hangu::codec::http1::test
