#include "hangu/audit/mask.h"

#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace hangu::audit {
namespace {

std::string path_of(std::string_view text) {
  auto masker = Masker::create({});
  return std::string(masker->path(text));
}

std::string query_of(std::string_view text) {
  auto masker = Masker::create({});
  return std::string(masker->query(text));
}

TEST(Mask, NationalIds) {
  EXPECT_EQ(path_of("/p/110101199003074514/x"), "/p/110101********4514/x");
  EXPECT_EQ(path_of("/p/11010119900307451X"), "/p/110101********451X");
  EXPECT_EQ(path_of("/p/11010119900307451x/"), "/p/110101********451x/");
  EXPECT_EQ(path_of("/p/110101900307451"), "/p/110101*********");        // of the old kind
  EXPECT_EQ(path_of("/p/110101199013074514"), "/p/110101199013074514");  // no month 13
}

TEST(Mask, PhoneNumbers) {
  EXPECT_EQ(path_of("/call/13812345678"), "/call/138****5678");
  EXPECT_EQ(path_of("/call/+8613812345678/"), "/call/+86138****5678/");
  EXPECT_EQ(path_of("user13812345678x"), "user138****5678x");
  EXPECT_EQ(path_of("/call/12812345678"), "/call/12812345678");
  EXPECT_EQ(path_of("/order/138123456789"), "/order/138123456789");  // twelve digits
}

TEST(Mask, NumbersWithinUuidsStay) {
  constexpr std::string_view kPath = "/o/0190a138-1234-7abc-8def-a13812345678";
  EXPECT_EQ(path_of(kPath), kPath);
  EXPECT_EQ(path_of("/o/13812345678b"), "/o/13812345678b");
}

TEST(Mask, EmailAddresses) {
  EXPECT_EQ(path_of("/u/john.doe@example.org/x"), "/u/j***@example.org/x");
  EXPECT_EQ(query_of("mail=john%40example.org&x=1"), "mail=j***%40example.org&x=1");
  EXPECT_EQ(path_of("/@scope/package"), "/@scope/package");
  EXPECT_EQ(path_of("/a@b"), "/a@b");
}

TEST(Mask, Tokens) {
  EXPECT_EQ(path_of("/t/eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln/x"), "/t/***/x");
  EXPECT_EQ(query_of("a=eyJhbGciOiJFUzI1NiJ9.e30.c2ln&b=1"), "a=***&b=1");
  EXPECT_EQ(path_of("/eyJx"), "/eyJx");
}

TEST(Mask, SecretParameters) {
  EXPECT_EQ(query_of("token=abc&a=1"), "token=***&a=1");
  EXPECT_EQ(query_of("a=1;Access_Token=x"), "a=1;Access_Token=***");
  EXPECT_EQ(query_of("api-key=1&client-secret=2&tokens=3&key="),
            "api-key=***&client-secret=***&tokens=3&key=");
  EXPECT_EQ(query_of(""), "");
  EXPECT_EQ(query_of("&&=&"), "&&=&");
}

TEST(Mask, OwnPatterns) {
  auto masker = Masker::create({"/card/[0-9]+", "zz+"});
  ASSERT_TRUE(masker);
  EXPECT_EQ(masker->path("/card/123/card/4/13812345678/zzz"), "******/138****5678/***");
  EXPECT_EQ(masker->path("/x"), "/x");
  EXPECT_FALSE(Masker::create({"("}));
}

/// Eight bytes are looked at in one step: each thing to hide at each place of texts of each length.
TEST(Mask, FindsThingsAtEveryPlace) {
  const std::vector<std::pair<std::string, std::string>> kCases = {
      {"13812345678", "138****5678"},  {"110101900307451", "110101*********"},
      {"a.b@c.de", "a***@c.de"},       {"a.b%40c.de", "a***%40c.de"},
      {"eyJhbGciOiJFUzI1NiJ9", "***"},
  };
  for (const auto& [shown, hidden] : kCases) {
    for (size_t size = shown.size(); size <= 64; ++size) {
      for (size_t at = 0; at + shown.size() <= size; ++at) {
        std::string text(size, '/');
        std::string expected = text;
        text.replace(at, shown.size(), shown);
        expected.replace(at, shown.size(), hidden);
        ASSERT_EQ(path_of(text), expected);
        ASSERT_EQ(query_of(text), expected);
      }
    }
  }
}

TEST(Mask, WhatIsHarmlessIsNotCopied) {
  auto masker = Masker::create({});
  const std::string path = "/v1/users/42/orders/2026-11-26";
  EXPECT_EQ(masker->path(path).data(), path.data());
  const std::string query = "page=2&size=50&J=1234567&x=%20";
  EXPECT_EQ(masker->query(query).data(), query.data());
}

}  // namespace
}  // namespace hangu::audit
