// Whose pages may do what.
#include "hangu/policy/cors.h"

#include <algorithm>
#include <array>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "tests/unit/http/memory.h"

namespace hangu::policy {
namespace {

config::Cors cors() {
  return {.enabled = true};
}

TEST(CorsPolicyTest, OriginsMatchExactlyByWildcardAndByPattern) {
  config::Cors config = cors();
  config.origins = {"https://app.example.org", "https://*.example.com", "http://*.local:8080"};
  config.patterns = {"https://pr-[0-9]+[.]example[.]net"};
  const CorsPolicy policy(config);
  for (const char* origin :
       {"https://app.example.org", "https://a.example.com", "https://a.b.example.com",
        "http://x.local:8080", "https://pr-17.example.net"}) {
    EXPECT_TRUE(policy.allows_origin(origin)) << origin;
  }
  for (const char* origin :
       {"http://app.example.org", "https://app.example.org:8443", "https://app.example.org.evil",
        "https://example.com", "https://.example.com", "https://evil/.example.com",
        "https://evil.net:1@a.example.com", "https://evilexample.com", "http://x.local",
        "https://pr-17.example.net.evil", "https://pr-.example.net", "null", "", "*"}) {
    EXPECT_FALSE(policy.allows_origin(origin)) << origin;
  }
  EXPECT_FALSE(policy.any_origin());
}

TEST(CorsPolicyTest, TheStarIsEveryOrigin) {
  config::Cors config = cors();
  config.origins = {"*"};
  EXPECT_TRUE(CorsPolicy(config).any_origin());
  EXPECT_TRUE(CorsPolicy(config).allows_origin("null"));
}

TEST(CorsPolicyTest, MethodsAndFields) {
  config::Cors config = cors();
  config.methods = {"GET", "PUT"};
  config.headers = {"content-type", "x-tenant"};
  config.max_age = std::chrono::hours(2);
  const CorsPolicy policy(config);
  EXPECT_TRUE(policy.allows_method("PUT"));
  EXPECT_FALSE(policy.allows_method("put"));
  EXPECT_FALSE(policy.allows_method("DELETE"));
  EXPECT_TRUE(policy.allows_headers(""));
  EXPECT_TRUE(policy.allows_headers("X-Tenant"));
  EXPECT_TRUE(policy.allows_headers("content-type, x-tenant"));
  EXPECT_FALSE(policy.allows_headers("content-type,x-other"));
  EXPECT_EQ(policy.methods_for("PUT"), "GET, PUT");
  EXPECT_EQ(policy.headers_for("x-tenant"), "content-type, x-tenant");
  EXPECT_EQ(policy.max_age(), "7200");
}

TEST(CorsPolicyTest, WhatAllowsEverythingAnswersWhatWasAsked) {
  config::Cors config = cors();
  config.methods = {"*"};
  config.headers = {"*"};
  const CorsPolicy policy(config);
  EXPECT_TRUE(policy.allows_method("PURGE"));
  EXPECT_EQ(policy.methods_for("PURGE"), "PURGE");
  EXPECT_TRUE(policy.allows_headers("authorization, x-any"));
  EXPECT_EQ(policy.headers_for("authorization, x-any"), "authorization, x-any");
}

TEST(CorsPolicyTest, APreflightNamesItsMethod) {
  http::test::Memory memory;
  http::HeaderBlock headers(memory.arena());
  headers.add("access-control-request-method", "PUT");
  EXPECT_EQ(preflight_method(http::Method::kOptions, headers), "");
  headers.add("origin", "https://app.example.org");
  EXPECT_EQ(preflight_method(http::Method::kOptions, headers), "PUT");
  EXPECT_EQ(preflight_method(http::Method::kGet, headers), "");
}

// --- at random --------------------------------------------------------------------------------

template <size_t N>
std::string_view one_of(const std::array<std::string_view, N>& list, std::mt19937& random) {
  return list[random() % N];
}

/// Labels, or what must not pass for them.
std::string random_labels(std::mt19937& random) {
  constexpr std::array<std::string_view, 12> kParts = {"a", "B", "x-1", ".", "evil", "_",
                                                       "/", ":", "@",   "",  "%2e",  "*"};
  std::string out;
  for (uint64_t parts = random() % 4; parts > 0; --parts) {
    out += one_of(kParts, random);
  }
  return out;
}

/// Most of them nearly what one of the allowed ones is.
std::string random_origin(const std::vector<std::string>& allowed, std::mt19937& random) {
  std::string origin = allowed[random() % allowed.size()];
  const size_t star = origin.find('*');
  if (star != std::string::npos) {
    origin.replace(star, 1, random_labels(random));
  }
  constexpr std::array<std::string_view, 8> kMore = {"a", ".", "/", ":1", "@", ".com", "-", "*"};
  const auto at = static_cast<size_t>(random() % (origin.size() + 1));
  switch (random() % 8) {
    case 0: origin.insert(at, one_of(kMore, random)); break;
    case 1: origin.erase(at, 1 + random() % 3); break;
    case 2: origin += one_of(kMore, random); break;
    default: break;
  }
  return origin;
}

/// The same as an expression that somebody else evaluates.
Pattern as_pattern(const std::string& allowed) {
  std::string expression;
  for (const char c : allowed) {
    expression += c == '*' ? "[A-Za-z0-9._-]+" : c == '.' ? "[.]" : std::string(1, c);
  }
  return std::move(*Pattern::compile(expression));
}

TEST(CorsPolicyRandomTest, OriginsAreAllowedAsByExpressions) {
  std::mt19937 random(1);
  config::Cors config = cors();
  config.origins = {"https://app.example.org", "https://*.example.com", "http://*.local:8080",
                    "https://*-preview.example.net", "https://*.a.a"};
  const CorsPolicy policy(config);
  std::vector<Pattern> patterns;
  for (const std::string& origin : config.origins) {
    patterns.push_back(as_pattern(origin));
  }
  std::array<int, 2> seen{};
  for (int i = 0; i < 20'000; ++i) {
    const std::string origin = random_origin(config.origins, random);
    const bool expected = std::any_of(patterns.begin(), patterns.end(),
                                      [&](const Pattern& each) { return each.matches(origin); });
    ASSERT_EQ(policy.allows_origin(origin), expected) << origin;
    ++seen[expected ? 1 : 0];
  }
  EXPECT_GT(seen[0], 2000);
  EXPECT_GT(seen[1], 2000);
}

TEST(CorsPolicyRandomTest, FieldsAreAllowedAsInASet) {
  constexpr std::array<std::string_view, 6> kKnown = {"authorization", "content-type", "x-tenant",
                                                      "x-a",           "x-b",          "x-c"};
  constexpr std::array<std::string_view, 4> kSpace = {"", "", " ", "\t "};
  std::mt19937 random(2);
  std::array<int, 2> seen{};
  for (int i = 0; i < 10'000; ++i) {
    config::Cors config = cors();
    config.headers.clear();
    std::set<std::string_view> allowed;
    for (const std::string_view name : kKnown) {
      if (random() % 4 != 0) {
        allowed.insert(name);
        config.headers.emplace_back(name);
      }
    }
    std::string asked;
    bool expected = true;
    for (uint64_t names = random() % 5; names > 0; --names) {
      std::string name(random() % 5 == 0 ? std::string_view() : one_of(kKnown, random));
      expected = expected && (name.empty() || allowed.count(name) != 0);
      if (!name.empty() && random() % 3 == 0) {
        name[0] = static_cast<char>(name[0] - 'a' + 'A');
      }
      asked += std::string(one_of(kSpace, random)) + name + std::string(one_of(kSpace, random));
      asked += names > 1 ? "," : "";
    }
    ASSERT_EQ(CorsPolicy(config).allows_headers(asked), expected) << asked;
    ++seen[expected ? 1 : 0];
  }
  EXPECT_GT(seen[0], 2000);
  EXPECT_GT(seen[1], 1000);
}

}  // namespace
}  // namespace hangu::policy
