#include "hangu/admin/query.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hangu::admin {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

TEST(QueryTest, FieldsKeepTheirOrderAndRepeats) {
  const auto fields = parse_query("b=1&a=x%20y&b=2&&flag&plus=a+b");
  ASSERT_TRUE(fields);
  EXPECT_THAT(*fields, ElementsAre(Pair("b", "1"), Pair("a", "x y"), Pair("b", "2"),
                                   Pair("flag", ""), Pair("plus", "a b")));
  EXPECT_TRUE(parse_query("")->empty());
}

TEST(QueryTest, BrokenEscapesAreRefused) {
  for (const char* query : {"a=%", "a=%4", "a=%zz", "%g0=1", "a=%-1", "a=1&b=%2"}) {
    EXPECT_FALSE(parse_query(query)) << query;
  }
}

TEST(QueryTest, EncodingRoundTrips) {
  std::string all;
  for (int byte = 0; byte < 256; ++byte) {
    all += static_cast<char>(byte);
  }
  const auto fields = parse_query("a=" + percent_encode(all));
  ASSERT_TRUE(fields);
  EXPECT_THAT(*fields, ElementsAre(Pair("a", all)));
  EXPECT_EQ(percent_encode("aZ09-._~ /+&\xff"), "aZ09-._~%20%2F%2B%26%FF");
}

TEST(UrlTest, PartsAreTakenApart) {
  const auto url = parse_url("HTTPS://API.Example.org.:8443/A/b?q=1?2#part");
  ASSERT_TRUE(url);
  EXPECT_EQ(url->scheme, "https");
  EXPECT_EQ(url->host, "api.example.org");
  EXPECT_EQ(url->port, 8443);
  EXPECT_EQ(url->path, "/A/b");
  EXPECT_EQ(url->query, "q=1?2");
}

TEST(UrlTest, WhatIsNotSaidHasItsDefault) {
  const auto plain = parse_url("example.org");
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->scheme, "http");
  EXPECT_EQ(plain->port, 80);
  EXPECT_EQ(plain->path, "/");
  EXPECT_EQ(parse_url("https://a")->port, 443);
  EXPECT_EQ(parse_url("a?x=1")->query, "x=1");
  EXPECT_EQ(parse_url("a?x=1")->path, "/");
}

TEST(UrlTest, AnIpv6LiteralKeepsItsBrackets) {
  EXPECT_EQ(parse_url("http://[::1]/a")->host, "[::1]");
  const auto url = parse_url("http://[2001:DB8::1]:8080/");
  ASSERT_TRUE(url);
  EXPECT_EQ(url->host, "[2001:db8::1]");
  EXPECT_EQ(url->port, 8080);
}

TEST(UrlTest, TheErrorSaysWhatIsWrong) {
  EXPECT_THAT(parse_url("ftp://a/").error(), HasSubstr("ftp"));
  for (const char* port : {"http://a:0/", "http://a:65536/", "http://a:x/", "http://a:/"}) {
    EXPECT_THAT(parse_url(port).error(), HasSubstr("is not a port")) << port;
  }
  for (const char* host : {"", "http://", "http:///a", "http://user@a/", "http://a b/"}) {
    EXPECT_THAT(parse_url(host).error(), HasSubstr("is not a host name")) << host;
  }
}

}  // namespace
}  // namespace hangu::admin
