#include <gtest/gtest.h>

#include "hangu/identity/digest.h"
#include "hangu/identity/token_cache.h"

namespace hangu::identity {
namespace {

TEST(DigestTest, ComputesWhatItPrints) {
  StoredDigest stored;
  ASSERT_TRUE(compute_digest(DigestKind::kSha256, "abc", stored.digest));
  EXPECT_EQ(to_string(stored),
            "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  ASSERT_TRUE(compute_digest(DigestKind::kSm3, "abc", stored.digest));
  stored.kind = DigestKind::kSm3;
  EXPECT_EQ(to_string(stored),
            "sm3:66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0");
  const auto parsed = parse_digest(to_string(stored));
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->digest, stored.digest);
}

TEST(DigestTest, RefusesOtherTexts) {
  const std::string hex(64, 'a');
  EXPECT_TRUE(parse_digest("sha256:" + hex));
  EXPECT_FALSE(parse_digest("sha256:" + hex + "a"));
  EXPECT_FALSE(parse_digest("sha256:" + std::string(64, 'A')));
  EXPECT_FALSE(parse_digest("md5:" + hex));
  EXPECT_FALSE(parse_digest(hex));
}

TEST(DigestTest, MakesKeysThatDiffer) {
  const std::string key = make_api_key("k1");
  EXPECT_EQ(key.substr(0, 6), "hk_k1_");
  EXPECT_EQ(key.size(), 6U + 43U);
  EXPECT_NE(key, make_api_key("k1"));
}

TEST(TokenCacheTest, ForgetsWhatIsTooOld) {
  TokenCache cache(16, {.seed = 1});
  cache.add("token", {.consumer = "a"}, 100);
  ASSERT_NE(cache.find("token", 99), nullptr);
  EXPECT_EQ(cache.find("token", 99)->consumer, "a");
  EXPECT_EQ(cache.find("token", 100), nullptr);
  EXPECT_EQ(cache.find("tokem", 99), nullptr);
  cache.add("token", {.consumer = "b"}, 200);
  EXPECT_EQ(cache.find("token", 150)->consumer, "b");
  cache.clear();
  EXPECT_EQ(cache.find("token", 150), nullptr);
}

TEST(TokenCacheTest, GivesThePlaceOfTheOneThatEndsFirst) {
  TokenCache cache(4, {.seed = 1});
  for (int i = 0; i < 4; ++i) {
    cache.add("t" + std::to_string(i), {}, 100 + i);
  }
  cache.add("new", {}, 200);
  EXPECT_EQ(cache.find("t0", 50), nullptr);
  EXPECT_NE(cache.find("t1", 50), nullptr);
  EXPECT_NE(cache.find("new", 50), nullptr);
}

}  // namespace
}  // namespace hangu::identity
