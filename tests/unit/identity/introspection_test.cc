// What an issuer's answer about a token means, and what it is asked.
#include "hangu/identity/introspection.h"

#include <gtest/gtest.h>

#include "hangu/base/base64.h"

namespace hangu::identity {
namespace {

constexpr int64_t kNow = 1'000'000;

IntrospectionFault fault_of(std::string_view json, const IntrospectionRules& rules = {}) {
  return read_introspection(json, rules, kNow).fault;
}

TEST(IntrospectionTest, AnActiveTokenIsGood) {
  const auto result = read_introspection(R"({"active":true,"sub":"app","exp":1000100})", {}, kNow);
  EXPECT_EQ(result.fault, IntrospectionFault::kNone);
  EXPECT_EQ(result.claims.text("sub"), "app");
  EXPECT_EQ(result.expires_s, 1'000'100);
}

TEST(IntrospectionTest, AnInactiveOneIsNotWhateverElseIsSaid) {
  EXPECT_EQ(fault_of(R"({"active":false})"), IntrospectionFault::kInactive);
  EXPECT_EQ(fault_of(R"({"active":false,"sub":"app","exp":1000100})"),
            IntrospectionFault::kInactive);
}

TEST(IntrospectionTest, WhatDoesNotSaySoIsNoAnswer) {
  for (const std::string_view json :
       {"", "{}", "true", "[]", "null", R"({"active":"true"})", R"({"active":1})",
        R"({"active":[true]})", R"({"active":null})", R"({"active":true,"active":false})",
        R"({"active":true} x)", R"({"active":true)", R"({"a":{"active":true}})"}) {
    EXPECT_EQ(fault_of(json), IntrospectionFault::kMalformed) << json;
  }
}

TEST(IntrospectionTest, TimesMayDifferByTheSkew) {
  EXPECT_EQ(fault_of(R"({"active":true,"exp":999941})"), IntrospectionFault::kNone);
  EXPECT_EQ(fault_of(R"({"active":true,"exp":999940})"), IntrospectionFault::kExpired);
  EXPECT_EQ(fault_of(R"({"active":true,"exp":"soon"})"), IntrospectionFault::kExpired);
  EXPECT_EQ(fault_of(R"({"active":true,"nbf":1000060})"), IntrospectionFault::kNone);
  EXPECT_EQ(fault_of(R"({"active":true,"nbf":1000061})"), IntrospectionFault::kNotYetValid);
}

TEST(IntrospectionTest, RulesHold) {
  const IntrospectionRules rules{
      .issuer = "https://id", .audiences = {"api", "web"}, .required_scopes = {"read", "list"}};
  EXPECT_EQ(fault_of(R"({"active":true})", rules), IntrospectionFault::kIssuer);
  EXPECT_EQ(fault_of(R"({"active":true,"iss":"https://id","aud":"else"})", rules),
            IntrospectionFault::kAudience);
  EXPECT_EQ(
      fault_of(R"({"active":true,"iss":"https://id","aud":["x","web"],"scope":"read"})", rules),
      IntrospectionFault::kScope);
  EXPECT_EQ(fault_of(R"({"active":true,"iss":"https://id","aud":"api","scope":"list other read"})",
                     rules),
            IntrospectionFault::kNone);
}

TEST(IntrospectionTest, TheQuestionIsAForm) {
  EXPECT_EQ(introspection_form("aZ0-._~"), "token=aZ0-._~&token_type_hint=access_token");
  EXPECT_EQ(introspection_form("a&b=c d\xff"),
            "token=a%26b%3Dc%20d%FF&token_type_hint=access_token");
}

TEST(IntrospectionTest, TheClientIsEncodedTwice) {
  EXPECT_EQ(client_authorization("id", "s:ecret"), "Basic " + encode_base64("id:s%3Aecret"));
  EXPECT_EQ(encode_base64("a"), "YQ==");
  EXPECT_EQ(encode_base64("ab"), "YWI=");
  EXPECT_EQ(encode_base64("abc\xff"), "YWJj/w==");
}

}  // namespace
}  // namespace hangu::identity
