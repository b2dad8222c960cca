// Field syntax and Host of requests.
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
  std::string_view fields;
  std::string_view outcome;  // how it begins
};

TEST(RequestFields, RefusesBadSyntax) {
  constexpr std::string_view kCases[] = {
      "X: a\r\n b\r\n",  // obs-fold
      "X: a\r\n\tb: c\r\n",
      "X: a\r\n \r\n",
      " X: a\r\n",
      "X\r\n",
      "X\r\nY: a\r\n",
      "X a\r\n",
      ": a\r\n",
      ":\r\n",
      "X : a\r\n",
      "X\t: a\r\n",
      "X Y: a\r\n",
      "X(: a\r\n",
      "\"X\": a\r\n",
      "X\xc3\xa9: a\r\n",
      "X\0: a\r\n"sv,
      "X\x7f: a\r\n",
      "X: a\0b\r\n"sv,
      "X: a\x01"
      "b\r\n",
      "X: \x1b[0m\r\n",
      "X: a\x7f\r\n",
      "X: 0123456789abcdef0123\x7f"
      "456789abcdef\r\n",
      "X: a\nY: b\r\n",
      "X: a\n\r\n",
      "X: a\r\n\nY: b\r\n",
      "X: a\rb\r\n",
      "X: a\rY: b\r\n",
      "X: a\r\r\n",
      "\rX: a\r\n",
      "X\r: a\r\n",
      "X_Y: a\r\n",
      "_: a\r\n",
  };
  for (const std::string_view fields : kCases) {
    EXPECT_THAT(replay_fields(fields), StartsWith("bad_header (")) << fields;
  }
}

TEST(RequestFields, KeepsNamesAndValues) {
  std::string text =
      "GET / HTTP/1.1\r\nHost: A.b.\r\nX-A:\r\nx-a:  a,\tb \r\n!#$%&'*+-.^`|~: \x80\xff:\r\n\r\n";
  Memory memory;
  http::RequestHead request;
  request.reset(memory.arena());
  ASSERT_TRUE(parse_request_head(text, {}, request));
  EXPECT_EQ(describe(request.headers),
            " | Host: a.b. | X-A:  | x-a: a,\tb | !#$%&'*+-.^`|~: \x80\xff:");
  EXPECT_EQ(request.authority, "a.b.");
  EXPECT_EQ(request.host, "a.b");
  EXPECT_EQ(request.port, 0);
  EXPECT_EQ(request.method, http::Method::kGet);
  EXPECT_EQ(request.target, "/");
}

TEST(RequestFields, ViewsAreOfTheHead) {
  std::string text = "GET /p?q HTTP/1.1\r\nHost: [2001:DB8::1]:81\r\nX: a\r\n\r\n";
  Memory memory;
  http::RequestHead request;
  request.reset(memory.arena());
  ASSERT_TRUE(parse_request_head(text, {}, request));
  const auto within = [&text](std::string_view view) {
    return view.data() >= text.data() && view.data() + view.size() <= text.data() + text.size();
  };
  EXPECT_TRUE(within(request.path) && within(request.query) && within(request.host));
  EXPECT_TRUE(within(request.headers.find("x")->value()));
  EXPECT_EQ(request.host, "[2001:db8::1]");
  EXPECT_EQ(request.port, 81);
}

TEST(RequestFields, UnderscoresAreAMatterOfPolicy) {
  EXPECT_THAT(replay_fields("X_Y: a\r\n", {.allow_underscore = true}), StartsWith("POST / "));
  EXPECT_THAT(replay_fields("Content_Length: 5\r\n", {.allow_underscore = true}),
              StartsWith("POST / 1.1 a, none"));
}

TEST(RequestHost, MustBeOneValidHost) {
  constexpr Case kCases[] = {
      {"", "bad_host (no Host"},
      {"Hosts: a\r\n", "bad_host (no Host"},
      {"Host:\r\n", "bad_host ("},
      {"Host: a\r\nHost: a\r\n", "bad_host (more"},
      {"Host: a\r\nX: y\r\nhOST: b\r\n", "bad_host (more"},
      {"Host: a b\r\n", "bad_host ("},
      {"Host: a,b\r\n", "bad_host ("},
      {"Host: a/b\r\n", "bad_host ("},
      {"Host: u@a\r\n", "bad_host ("},
      {"Host: http://a\r\n", "bad_host ("},
      {"Host: a?b\r\n", "bad_host ("},
      {"Host: a#b\r\n", "bad_host ("},
      {"Host: a%00\r\n", "bad_host ("},
      {"Host: a\xc3\xa9\r\n", "bad_host ("},
      {"Host: .a\r\n", "bad_host ("},
      {"Host: a..b\r\n", "bad_host ("},
      {"Host: a:\r\n", "bad_host ("},
      {"Host: :80\r\n", "bad_host ("},
      {"Host: a:0\r\n", "bad_host ("},
      {"Host: a:65536\r\n", "bad_host ("},
      {"Host: a:+80\r\n", "bad_host ("},
      {"Host: a:80:80\r\n", "bad_host ("},
      {"Host: 1.2.3\r\n", "bad_host ("},
      {"Host: 1.2.3.256\r\n", "bad_host ("},
      {"Host: 127.1\r\n", "bad_host ("},
      {"Host: [::1\r\n", "bad_host ("},
      {"Host: [::g]\r\n", "bad_host ("},
      {"Host: [::1%25lo]\r\n", "bad_host ("},
      {"Host: ::1\r\n", "bad_host ("},
      {"Host: A-1.b\r\n", "GET / 1.1 a-1.b, "},
      {"Host: 192.0.2.1:8080\r\n", "GET / 1.1 192.0.2.1:8080, "},
      {"Host: [::FFFF]:65535\r\n", "GET / 1.1 [::ffff]:65535, "},
  };
  for (const Case& c : kCases) {
    const std::string input = "GET / HTTP/1.1\r\n" + std::string(c.fields) + "\r\n";
    EXPECT_THAT(replay_request(input), StartsWith(std::string(c.outcome))) << c.fields;
  }
}

TEST(RequestHost, IsCheckedInHttp10Too) {
  EXPECT_THAT(replay_request("GET / HTTP/1.0\r\nHost: a b\r\n\r\n"), StartsWith("bad_host ("));
  EXPECT_THAT(replay_request("GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n"),
              StartsWith("bad_host ("));
}

TEST(RequestHost, AgreesWithAnAbsoluteTarget) {
  constexpr Case kCases[] = {
      {"http://a/ HTTP/1.1\r\nHost: b\r\n\r\n", "bad_host (Host differs"},
      {"http://a:81/ HTTP/1.1\r\nHost: a\r\n\r\n", "bad_host (Host differs"},
      {"http://a/ HTTP/1.1\r\nHost: a:81\r\n\r\n", "bad_host (Host differs"},
      {"http://a/ HTTP/1.0\r\nHost: b\r\n\r\n", "bad_host (Host differs"},
      {"http://a/ HTTP/1.1\r\n\r\n", "bad_host (no Host"},
      {"http://a/ HTTP/1.1\r\nHost:\r\n\r\n", "bad_host ("},
      {"http:/// HTTP/1.1\r\nHost: a\r\n\r\n", "bad_host ("},
      {"http://u@a/ HTTP/1.1\r\nHost: a\r\n\r\n", "bad_host ("},
      {"http://a@b/ HTTP/1.1\r\nHost: b\r\n\r\n", "bad_host ("},
      {"http://a\\b/ HTTP/1.1\r\nHost: a\r\n\r\n", "bad_host ("},
  };
  for (const Case& c : kCases) {
    EXPECT_THAT(replay_request("GET " + std::string(c.fields)), StartsWith(std::string(c.outcome)))
        << c.fields;
  }
}

}  // namespace
}  // namespace hangu::codec::http1::test
