#include "hangu/http/host.h"

#include <initializer_list>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

namespace hangu::http {
namespace {

using namespace std::string_view_literals;

/// "host port", or "invalid".
std::string parse(std::string_view text) {
  const std::string exact(text);
  const auto authority = parse_authority(exact);
  return authority ? std::string(authority->host) + " " + std::to_string(authority->port)
                   : "invalid";
}

TEST(HostTest, ReadsNamesAddressesAndPorts) {
  const struct {
    std::string_view text;
    std::string_view expected;
  } cases[] = {
      {"a", "a 0"},
      {"a.example", "a.example 0"},
      {"A.Example:8080", "A.Example 8080"},
      {"a.example.", "a.example 0"},
      {"a.example.:80", "a.example 80"},
      {"my_service-1:1", "my_service-1 1"},
      {"xn--fiq228c.example", "xn--fiq228c.example 0"},
      {"1a.2b", "1a.2b 0"},
      {"192.0.2.1", "192.0.2.1 0"},
      {"192.0.2.1:65535", "192.0.2.1 65535"},
      {"[::]", "[::] 0"},
      {"[2001:DB8::1]:443", "[2001:DB8::1] 443"},
      {"[::ffff:192.0.2.1]", "[::ffff:192.0.2.1] 0"},
  };

  for (const auto& [text, expected] : cases) {
    EXPECT_EQ(parse(text), expected) << text;
  }
}

TEST(HostTest, RefusesEverythingElse) {
  for (const std::string_view text : std::initializer_list<std::string_view>{"",
                                                                             ".",
                                                                             "..",
                                                                             ":80",
                                                                             "a:",
                                                                             "a:0",
                                                                             "a:65536",
                                                                             "a:123456",
                                                                             "a:8O",
                                                                             "a:+1",
                                                                             "a: 1",
                                                                             "a:1:2",
                                                                             "user@a",
                                                                             "a/b",
                                                                             "a?b",
                                                                             "a#b",
                                                                             "a b",
                                                                             " a",
                                                                             "a ",
                                                                             "a,b",
                                                                             "a%41",
                                                                             "a..b",
                                                                             ".a",
                                                                             "a...",
                                                                             "*.a",
                                                                             "a\\b",
                                                                             "\xe8\x8c\xb6",
                                                                             "1.2.3",
                                                                             "1.2.3.4.5",
                                                                             "256.0.0.1",
                                                                             "01.2.3.4",
                                                                             "1.2.3.04",
                                                                             "a.1",
                                                                             "123",
                                                                             "[",
                                                                             "[]",
                                                                             "[::",
                                                                             "::1",
                                                                             "[::1",
                                                                             "[::1]a",
                                                                             "[::1]:",
                                                                             "[::1]:0",
                                                                             "[::1]80",
                                                                             "[1.2.3.4]",
                                                                             "[v1.a]",
                                                                             "[fe80::1%eth0]",
                                                                             "[fe80::1%25eth0]",
                                                                             "[:::]",
                                                                             "[1:2:3:4:5:6:7:8:9]",
                                                                             "[::1\0]"sv,
                                                                             "a\0b"sv}) {
    EXPECT_EQ(parse(text), "invalid") << text;
  }
}

TEST(HostTest, HoldsLabelsAndNamesToTheirLimits) {
  const std::string label63(63, 'a');
  EXPECT_EQ(parse(label63), label63 + " 0");
  EXPECT_EQ(parse(label63 + "a"), "invalid");
  EXPECT_EQ(parse("b." + label63 + "a.c"), "invalid");
  const std::string name255 = label63 + "." + label63 + "." + label63 + "." + label63;
  ASSERT_EQ(name255.size(), 255U);
  EXPECT_EQ(parse(name255 + ".:80"), name255 + " 80");
  EXPECT_EQ(parse(label63 + "." + name255), "invalid");
}

TEST(HostTest, KnowsAddresses) {
  for (const std::string_view text : {"0.0.0.0", "255.255.255.255", "10.0.0.1"}) {
    EXPECT_TRUE(is_ipv4(text)) << text;
    EXPECT_FALSE(is_ipv6(text)) << text;
  }
  for (const std::string_view text :
       {"", ".", "1.2.3.", ".1.2.3", "1..2.3", "1.2.3.4.", "1.2.3.256", "0x1.2.3.4", "1.2.3.-4",
        "1.2.3.4 ", "00.0.0.0"}) {
    EXPECT_FALSE(is_ipv4(text)) << text;
  }
  for (const std::string_view text : {"::", "::1", "2001:db8::1", "1:2:3:4:5:6:7:8",
                                      "ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255"}) {
    EXPECT_TRUE(is_ipv6(text)) << text;
    EXPECT_FALSE(is_ipv4(text)) << text;
  }
  for (const std::string_view text : {"", ":", ":::", "1::2::3", "12345::", "g::", "::1%lo",
                                      "[::1]", "::1 ", "1:2:3:4:5:6:7", "::1.2.3"}) {
    EXPECT_FALSE(is_ipv6(text)) << text;
  }
  EXPECT_FALSE(is_ipv6("::1\0"sv));
  EXPECT_FALSE(is_ipv6(std::string(1000, ':')));
}

}  // namespace
}  // namespace hangu::http
