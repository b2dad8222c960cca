// What is remembered by a digest: until when, how much, and that nothing is mixed up.
#include "hangu/identity/digest_cache.h"

#include <array>
#include <random>
#include <string>
#include <unordered_map>

#include <gtest/gtest.h>

namespace hangu::identity {
namespace {

Digest digest_of(uint32_t number) {
  const std::string text = std::to_string(number);
  const std::array<std::string_view, 2> parts = {"secret", text};
  Digest digest{};
  EXPECT_TRUE(compute_digest(parts, digest));
  return digest;
}

TEST(DigestCacheTest, KnowsWhatWasAddedUntilItsTime) {
  DigestCache<int> cache(16);
  EXPECT_EQ(cache.find(digest_of(1), 0), nullptr);
  cache.add(digest_of(1), 11, 100);
  ASSERT_NE(cache.find(digest_of(1), 99), nullptr);
  EXPECT_EQ(*cache.find(digest_of(1), 99), 11);
  EXPECT_EQ(cache.find(digest_of(1), 100), nullptr);
  EXPECT_EQ(cache.find(digest_of(2), 0), nullptr);
}

TEST(DigestCacheTest, ANewValueTakesThePlaceOfTheOld) {
  DigestCache<int> cache(16);
  cache.add(digest_of(1), 11, 100);
  cache.add(digest_of(1), 12, 50);
  EXPECT_EQ(*cache.find(digest_of(1), 49), 12);
  EXPECT_EQ(cache.find(digest_of(1), 50), nullptr);
}

TEST(DigestCacheTest, TheDigestOfNothingIsNotThereByItself) {
  const DigestCache<int> empty(16);
  EXPECT_EQ(empty.find(Digest{}, INT64_MIN), nullptr);
  DigestCache<int> cache(16);
  cache.add(digest_of(1), 1, 100);
  EXPECT_EQ(cache.find(Digest{}, INT64_MIN), nullptr);
}

TEST(DigestCacheTest, NeverTellsWhatWasNotAdded) {
  DigestCache<uint32_t> cache(64);
  std::unordered_map<uint32_t, int64_t> until;
  std::mt19937 random(1);
  size_t found = 0;
  for (int64_t now = 0; now < 20'000; ++now) {
    const auto number = static_cast<uint32_t>(random() % 200);
    if (const uint32_t* value = cache.find(digest_of(number), now)) {
      ++found;
      ASSERT_EQ(*value, number);
      ASSERT_LT(now, until[number]);
    } else {
      until[number] = now + 1 + static_cast<int64_t>(random() % 500);
      cache.add(digest_of(number), number, until[number]);
    }
  }
  EXPECT_GT(found, 1000U);  // 64 of 200: it does remember
}

TEST(KeyedDigestTest, NoTwoListsAreAlike) {
  const auto of = [](std::initializer_list<std::string_view> parts) {
    Digest digest{};
    EXPECT_TRUE(compute_digest(std::span(parts.begin(), parts.size()), digest));
    return digest;
  };
  EXPECT_EQ(of({"k", "a", "b"}), of({"k", "a", "b"}));
  EXPECT_NE(of({"k", "a", "b"}), of({"k", "ab", ""}));
  EXPECT_NE(of({"k", "a", "b"}), of({"k", "a"}));
  EXPECT_NE(of({"k", "", "a"}), of({"k", "a", ""}));
  EXPECT_NE(of({"k", "a"}), of({"j", "a"}));
}

}  // namespace
}  // namespace hangu::identity
