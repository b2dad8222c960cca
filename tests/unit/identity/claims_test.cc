#include "hangu/identity/claims.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hangu::identity {
namespace {

using testing::ElementsAre;

TEST(ClaimsTest, FlattensWhatIsNested) {
  const auto claims = Claims::parse(
      R"({"sub":"app","realm_access":{"roles":["a","b"],"deep":{"x":1}},"ok":true,"none":null})");
  ASSERT_TRUE(claims);
  EXPECT_EQ(claims->text("sub"), "app");
  EXPECT_THAT(claims->words("realm_access.roles"), ElementsAre("a", "b"));
  EXPECT_EQ(claims->find("realm_access.deep.x")->value, "1");
  EXPECT_TRUE(claims->has("ok", "true"));
  EXPECT_FALSE(claims->contains("none"));
}

TEST(ClaimsTest, ReadsWordsOfATextAndOfAList) {
  const auto claims = Claims::parse(R"({"scope":" read  write ","scp":["a b","c"]})");
  ASSERT_TRUE(claims);
  EXPECT_THAT(claims->words("scope"), ElementsAre("read", "write"));
  EXPECT_THAT(claims->words("scp"), ElementsAre("a b", "c"));
  EXPECT_EQ(claims->text("scp"), "");
}

TEST(ClaimsTest, RefusesANameThatOccursTwice) {
  EXPECT_FALSE(Claims::parse(R"({"sub":"a","sub":"b"})"));
  EXPECT_FALSE(Claims::parse(R"({"a":{"b":1,"b":2}})"));
  EXPECT_FALSE(Claims::parse(R"({"sub":"a","s\u0075b":"b"})"));
  EXPECT_TRUE(Claims::parse(R"({"a":{"b":1},"c":{"b":2}})"));
}

TEST(ClaimsTest, RefusesWhatIsNoObject) {
  for (const char* text : {"", "[]", "1", "\"a\"", "null", "{", "{}x", "{\"a\":1}{}", "{\"a\":}"}) {
    EXPECT_FALSE(Claims::parse(text)) << text;
  }
  EXPECT_TRUE(Claims::parse(" {} \n"));
}

TEST(ClaimsTest, RefusesTooMuchDepthAndTooManyMembers) {
  std::string deep = "1";
  for (size_t i = 0; i <= Claims::kDepthMax; ++i) {
    deep = "{\"a\":" + deep + "}";
  }
  EXPECT_FALSE(Claims::parse(deep));
  std::string wide = "{\"a\":[1";
  for (size_t i = 0; i < Claims::kCountMax; ++i) {
    wide += ",1";
  }
  EXPECT_FALSE(Claims::parse(wide + "]}"));
}

TEST(ClaimsTest, ReadsTimesOnlyAsNumbers) {
  const auto claims =
      Claims::parse(R"({"a":1700000000,"b":1700000000.75,"c":"1700000000","d":-5,"e":1e300})");
  ASSERT_TRUE(claims);
  EXPECT_EQ(claims->seconds("a"), 1700000000);
  EXPECT_EQ(claims->seconds("b"), 1700000000);
  EXPECT_FALSE(claims->seconds("c"));
  EXPECT_FALSE(claims->seconds("d"));
  EXPECT_FALSE(claims->seconds("e"));
  EXPECT_FALSE(claims->seconds("f"));
}

}  // namespace
}  // namespace hangu::identity
