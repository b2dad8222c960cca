#include "hangu/policy/cidr_set.h"

#include <algorithm>
#include <chrono>
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

// --- many ------------------------------------------------------------------------------------

/// Numbers that are the same in every run.
class Numbers {
 public:
  uint64_t next() {
    state_ = state_ * 6'364'136'223'846'793'005U + 1'442'695'040'888'963'407U;
    return state_ ^ state_ >> 31;
  }

 private:
  uint64_t state_ = 20'261'126;
};

/// In a small part of the space, so that networks lie within each other.
config::Network random_network(Numbers& numbers) {
  const bool ipv4 = numbers.next() % 2 == 0;
  IpBytes ip{};
  if (ipv4) {
    ip = {0,
          0,
          0,
          0,
          0,
          0,
          0,
          0,
          0,
          0,
          0xff,
          0xff,
          10,
          static_cast<uint8_t>(numbers.next() % 4),
          static_cast<uint8_t>(numbers.next()),
          static_cast<uint8_t>(numbers.next())};
  } else {
    ip = {0x20, 0x01, 0x0d, 0xb8, 0, static_cast<uint8_t>(numbers.next() % 4)};
    ip[7] = static_cast<uint8_t>(numbers.next());
    ip[8] = static_cast<uint8_t>(numbers.next() % 2);
    ip[15] = static_cast<uint8_t>(numbers.next());
  }
  const uint64_t bits = ipv4 ? 96 + 14 + numbers.next() % 19 : 44 + numbers.next() % 85;
  return {.bytes = network_of(ip, static_cast<uint32_t>(bits)), .bits = static_cast<uint8_t>(bits)};
}

bool is_in_any(const std::vector<config::Network>& networks, const IpBytes& ip) {
  return std::any_of(networks.begin(), networks.end(), [&](const config::Network& network) {
    return network_of(ip, network.bits) == network.bytes;
  });
}

TEST(CidrSet, AgreesWithALinearSearch) {
  Numbers numbers;
  for (const size_t count : {1U, 2U, 7U, 17U, 100U, 500U}) {
    std::vector<config::Network> networks;
    for (size_t i = 0; i < count; ++i) {
      networks.push_back(random_network(numbers));
    }
    const CidrSet set(networks);
    size_t inside = 0;
    for (int i = 0; i < 500; ++i) {
      IpBytes ip = random_network(numbers).bytes;
      if (i % 2 == 0) {  // at the edge of a network
        ip = networks[numbers.next() % count].bytes;
        ip[15] = static_cast<uint8_t>(ip[15] + numbers.next() % 3 - 1);
      }
      const bool expected = is_in_any(networks, ip);
      ASSERT_EQ(set.contains(ip), expected) << count << ' ' << i;
      inside += expected ? 1U : 0U;
    }
    EXPECT_GT(inside, 0U);
  }
}

TEST(CidrSet, AllOfOneKindIsNothingOfTheOther) {
  const CidrSet all_ipv4(std::vector<config::Cidr>{{"0.0.0.0/0"}});
  EXPECT_TRUE(all_ipv4.contains("255.255.255.255"));
  EXPECT_TRUE(all_ipv4.contains("::ffff:10.0.0.1"));
  EXPECT_FALSE(all_ipv4.contains("2001:db8::1"));
  const CidrSet both(std::vector<config::Cidr>{{"::/0"}, {"10.0.0.0/8"}});
  EXPECT_TRUE(both.contains("2001:db8::1"));
  EXPECT_TRUE(both.contains("10.1.1.1"));
  EXPECT_FALSE(both.contains("11.1.1.1"));
}

TEST(CidrSet, ManyAreSmallAndQuicklyMade) {
  std::vector<config::Network> networks;
  Numbers numbers;
  for (int i = 0; i < 50'000; ++i) {
    IpBytes ip{};
    ip[10] = ip[11] = 0xff;
    for (size_t byte = 12; byte < 16; ++byte) {
      ip[byte] = static_cast<uint8_t>(numbers.next());
    }
    networks.push_back(
        {.bytes = network_of(ip, 96 + 24 + i % 9), .bits = static_cast<uint8_t>(96 + 24 + i % 9)});
  }
  const auto begin = std::chrono::steady_clock::now();
  const CidrSet set(networks);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(30));  // in any build
  EXPECT_EQ(set.size(), 50'000U);
  EXPECT_LT(set.bytes(), 350'000U);
  EXPECT_TRUE(set.contains(networks[12'345].bytes));
}

}  // namespace
}  // namespace hangu::policy
