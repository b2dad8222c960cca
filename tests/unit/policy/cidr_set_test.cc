#include "hangu/policy/cidr_set.h"

#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

namespace hangu::policy {
namespace {

CidrSet set_of(const std::vector<std::string>& networks) {
  std::vector<config::Cidr> cidrs;
  for (const std::string& network : networks) {
    cidrs.push_back({network});
  }
  return CidrSet(cidrs);
}

TEST(CidrSet, EmptyContainsNothing) {
  const CidrSet none;
  EXPECT_TRUE(none.empty());
  EXPECT_FALSE(none.contains("127.0.0.1"));
  EXPECT_FALSE(none.contains("::1"));
}

TEST(CidrSet, ComparesIpv4ToTheBit) {
  const CidrSet set = set_of({"10.0.0.0/8", "192.0.2.128/25", "198.51.100.7"});
  EXPECT_FALSE(set.empty());
  for (const char* inside :
       {"10.0.0.0", "10.255.255.255", "192.0.2.128", "192.0.2.255", "198.51.100.7"}) {
    EXPECT_TRUE(set.contains(inside)) << inside;
  }
  for (const char* outside : {"9.255.255.255", "11.0.0.0", "192.0.2.127", "198.51.100.6"}) {
    EXPECT_FALSE(set.contains(outside)) << outside;
  }
}

TEST(CidrSet, ComparesIpv6ToTheBit) {
  const CidrSet set = set_of({"2001:db8::/33", "::1/128"});
  EXPECT_TRUE(set.contains("2001:db8::1"));
  EXPECT_TRUE(set.contains("2001:DB8:7fff:ffff::"));
  EXPECT_TRUE(set.contains("::1"));
  EXPECT_FALSE(set.contains("2001:db8:8000::"));
  EXPECT_FALSE(set.contains("::2"));
}

TEST(CidrSet, MappedIpv4IsIpv4) {
  EXPECT_TRUE(set_of({"10.0.0.0/8"}).contains("::ffff:10.1.2.3"));
  EXPECT_FALSE(set_of({"10.0.0.0/8"}).contains("::ffff:11.1.2.3"));
  EXPECT_TRUE(set_of({"::ffff:10.0.0.0/104"}).contains("10.1.2.3"));
}

TEST(CidrSet, NetworkOfAllAddressesIsOfOneFamily) {
  EXPECT_TRUE(set_of({"0.0.0.0/0"}).contains("203.0.113.9"));
  EXPECT_FALSE(set_of({"0.0.0.0/0"}).contains("2001:db8::1"));
  EXPECT_TRUE(set_of({"::/0"}).contains("2001:db8::1"));
  EXPECT_FALSE(set_of({"::/0"}).contains("203.0.113.9"));
  EXPECT_FALSE(set_of({"::/0"}).contains("::ffff:203.0.113.9"));
  EXPECT_FALSE(set_of({"::/64"}).contains("203.0.113.9"));
}

TEST(CidrSet, WhatIsNoAddressIsInNoSet) {
  const CidrSet set = set_of({"0.0.0.0/0", "::/0"});
  const std::string long_text(200, '1');
  for (const std::string_view text :
       {std::string_view(""), std::string_view("localhost"), std::string_view("10.0.0"),
        std::string_view("10.0.0.256"), std::string_view("10.0.0.1:80"), std::string_view("[::1]"),
        std::string_view(" 10.0.0.1"), std::string_view("10.0.0.1\0x", 10),
        std::string_view("unix"), std::string_view("fe80::1%eth0"), std::string_view(long_text)}) {
    EXPECT_FALSE(set.contains(text)) << text;
  }
}

}  // namespace
}  // namespace hangu::policy
