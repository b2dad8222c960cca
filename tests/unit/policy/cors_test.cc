// Whose pages may do what.
#include "hangu/policy/cors.h"

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

}  // namespace
}  // namespace hangu::policy
