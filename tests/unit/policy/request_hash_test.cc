// Which requests are alike by their keys.
#include "hangu/policy/request_hash.h"

#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace hangu::policy {
namespace {

using Kind = config::KeyPart::Kind;

uint64_t hash_of_client(std::string_view ip, const ClientPrefixes& prefixes = {}) {
  return hash_value(Kind::kClientIp, ip, prefixes, 0);
}

TEST(RequestHash, ClientsOfOneNetworkAreOne) {
  const ClientPrefixes prefixes{.ipv4 = 24, .ipv6 = 64};
  EXPECT_EQ(hash_of_client("192.0.2.1", prefixes), hash_of_client("192.0.2.255", prefixes));
  EXPECT_NE(hash_of_client("192.0.2.1", prefixes), hash_of_client("192.0.3.1", prefixes));
  EXPECT_EQ(hash_of_client("2001:db8:1:2::1", prefixes),
            hash_of_client("2001:db8:1:2:3::", prefixes));
  EXPECT_NE(hash_of_client("2001:db8:1:2::1", prefixes),
            hash_of_client("2001:db8:1:3::1", prefixes));
  EXPECT_NE(hash_of_client("192.0.2.1"), hash_of_client("192.0.2.2"));
}

TEST(RequestHash, WhatIsMissingIsNotWhatIsEmpty) {
  HashedKey empty;
  HashedKey missing;
  hash_part(Kind::kHeader, "", {}, empty);
  hash_part(Kind::kHeader, std::nullopt, {}, missing);
  EXPECT_TRUE(empty.whole);
  EXPECT_FALSE(missing.whole);
  EXPECT_NE(empty.hash, missing.hash);
  hash_part(Kind::kHeader, "a", {}, missing);
  EXPECT_FALSE(missing.whole);
}

/// Two addresses have one hash just when their first bits are alike.
TEST(RequestHashRandomTest, PrefixesCountToTheBit) {
  std::mt19937 random(1);
  const auto text = [](uint32_t ip) {
    return fmt::format("{}.{}.{}.{}", ip >> 24, ip >> 16 & 255, ip >> 8 & 255, ip & 255);
  };
  for (int i = 0; i < 20'000; ++i) {
    const auto bits = static_cast<uint32_t>(1 + random() % 32);
    const auto one = static_cast<uint32_t>(random());
    const uint32_t other = one ^ 1U << random() % 32;
    const bool alike = (one ^ other) >> (32 - bits) == 0;
    const ClientPrefixes prefixes{.ipv4 = bits};
    ASSERT_EQ(hash_of_client(text(one), prefixes) == hash_of_client(text(other), prefixes), alike)
        << text(one) << ' ' << text(other) << '/' << bits;
  }
}

/// Different lists of parts are different keys, however their texts would be joined.
TEST(RequestHashRandomTest, PartsDoNotRunTogether) {
  std::mt19937 random(2);
  std::set<std::vector<std::optional<std::string>>> lists;
  std::set<uint64_t> hashes;
  for (int i = 0; i < 20'000; ++i) {
    std::vector<std::optional<std::string>> parts(1 + random() % 4);
    HashedKey key;
    bool whole = true;
    for (std::optional<std::string>& part : parts) {
      if (random() % 5 != 0) {
        part = std::string(random() % 3, random() % 2 == 0 ? 'a' : 'b');
      }
      whole = whole && part.has_value();
      hash_part(Kind::kHeader, part, {}, key);
    }
    ASSERT_EQ(key.whole, whole);
    lists.insert(parts);
    hashes.insert(key.hash);
  }
  EXPECT_GT(lists.size(), 500U);
  EXPECT_EQ(lists.size(), hashes.size());
}

}  // namespace
}  // namespace hangu::policy
