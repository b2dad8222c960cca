#include "hangu/http/forwarded.h"

#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "tests/unit/http/memory.h"

namespace hangu::http {
namespace {

using Values = std::vector<std::string>;

/// 10.x and 2001:db8:: are our own proxies.
bool trusted(std::string_view ip) {
  return ip.starts_with("10.") || ip.starts_with("2001:db8::");
}

std::string client(const Values& values) {
  test::Memory memory;
  HeaderBlock headers(memory.arena());
  headers.add("Host", "a");
  for (const std::string& value : values) {
    headers.add("X-Forwarded-For", value);
    headers.add("X-Forwarded-Proto", "192.0.2.99");
  }
  return std::string(forwarded_client(headers, trusted));
}

TEST(ForwardedTest, TakesTheFirstUntrustedAddressFromTheRight) {
  const struct {
    Values values;
    std::string_view expected;
  } cases[] = {
      {{}, ""},
      {{""}, ""},
      {{"192.0.2.1"}, "192.0.2.1"},
      {{"::ffff:192.0.2.1"}, "192.0.2.1"},
      {{"[::FFFF:192.0.2.1]:80"}, "192.0.2.1"},
      {{"2001:db9::192.0.2.1"}, "2001:db9::192.0.2.1"},
      {{"::ffff:0:192.0.2.1"}, "::ffff:0:192.0.2.1"},
      {{"198.51.100.7, 192.0.2.1"}, "192.0.2.1"},
      {{"198.51.100.7,192.0.2.1, 10.0.0.1,\t10.0.0.2 "}, "192.0.2.1"},
      {{"192.0.2.1:4711, 10.0.0.1:80"}, "192.0.2.1"},
      {{"[2001:db9::1]:4711, 2001:db8::1, [2001:db8::2]"}, "2001:db9::1"},
      // All trusted: the leftmost.
      {{"10.0.0.1, 10.0.0.2"}, "10.0.0.1"},
      // Several fields are one list, in order.
      {{"198.51.100.7", "192.0.2.1, 10.0.0.1", "10.0.0.2"}, "192.0.2.1"},
      {{"192.0.2.1", ""}, "192.0.2.1"},
      {{"10.0.0.1", "10.0.0.2"}, "10.0.0.1"},
      // Garbage ends the walk at what is right of it.
      {{"192.0.2.1, unknown, 10.0.0.1"}, "10.0.0.1"},
      {{"192.0.2.1, unknown"}, ""},
      {{"192.0.2.1,"}, ""},
      {{"192.0.2.1, , 10.0.0.1"}, "10.0.0.1"},
      {{"192.0.2.1", "_hidden, 10.0.0.1"}, "10.0.0.1"},
  };

  for (const auto& [values, expected] : cases) {
    EXPECT_EQ(client(values), expected) << testing::PrintToString(values);
  }
}

TEST(ForwardedTest, LooksAtTheLastSixteenFields) {
  Values values{"192.0.2.1"};
  values.resize(16, "10.0.0.1");
  EXPECT_EQ(client(values), "192.0.2.1");
  values.emplace_back("10.0.0.2");
  EXPECT_EQ(client(values), "10.0.0.1");
  values.emplace_back("192.0.2.2");
  EXPECT_EQ(client(values), "192.0.2.2");
}

TEST(ForwardedTest, ReadsOneElement) {
  const struct {
    std::string_view element;
    std::string_view address;
  } cases[] = {
      {"192.0.2.1", "192.0.2.1"},
      {" \t192.0.2.1 ", "192.0.2.1"},
      {"192.0.2.1:0", "192.0.2.1"},
      {"192.0.2.1:65535", "192.0.2.1"},
      {"2001:DB8::1", "2001:DB8::1"},
      {"::", "::"},
      {"::ffff:192.0.2.1", "::ffff:192.0.2.1"},
      {"[::1]", "::1"},
      {"[::1]:80", "::1"},
  };

  for (const auto& [element, address] : cases) {
    EXPECT_EQ(forwarded_address(element), address) << element;
  }
  for (const std::string_view element : {"",
                                         " ",
                                         "unknown",
                                         "_x",
                                         "a.example",
                                         "192.0.2",
                                         "192.0.2.1:",
                                         "192.0.2.1:x",
                                         "192.0.2.1:65536",
                                         "192.0.2.1:000080",
                                         "192.0.2.1 10.0.0.1",
                                         "\"192.0.2.1\"",
                                         "[::1",
                                         "[]",
                                         "[]:80",
                                         "::1]",
                                         "[::1]80",
                                         "[::1]:",
                                         "[::1]:x",
                                         "[192.0.2.1]",
                                         "fe80::1%eth0",
                                         "a:80",
                                         ":80",
                                         "[",
                                         "]"}) {
    EXPECT_EQ(forwarded_address(element), "") << element;
  }
}

TEST(ForwardedTest, TakesElementsFromTheRight) {
  std::string_view list = "a, b,,c";
  EXPECT_EQ(take_last_element(list), "c");
  EXPECT_EQ(take_last_element(list), "");
  EXPECT_EQ(take_last_element(list), " b");
  EXPECT_EQ(list, "a");
  EXPECT_EQ(take_last_element(list), "a");
  EXPECT_TRUE(list.empty());
}

}  // namespace
}  // namespace hangu::http
