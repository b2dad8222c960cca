// What an answer of an authorization service means, and how long it holds.
#include "hangu/policy/forward_auth.h"

#include <gtest/gtest.h>

#include "hangu/buffer/arena.h"

namespace hangu::policy {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(AuthVerdictTest, OnlySuccessAllows) {
  for (int status = 100; status < 700; ++status) {
    const bool allowed = auth_verdict(status) == AuthVerdict::kAllow;
    EXPECT_EQ(allowed, status >= 200 && status <= 299) << status;
  }
}

TEST(AuthVerdictTest, WhatAClientMayCauseIsARefusalAndNoError) {
  for (const int status : {301, 302, 304, 400, 401, 403, 404, 413, 429, 431, 499}) {
    EXPECT_EQ(auth_verdict(status), AuthVerdict::kRefuse) << status;
  }
  for (const int status : {0, 100, 101, 199, 500, 502, 503, 599, 600}) {
    EXPECT_EQ(auth_verdict(status), AuthVerdict::kError) << status;
  }
}

class DecisionTtlTest : public testing::Test {
 protected:
  Duration of(AuthVerdict verdict) { return decision_ttl(cache_, verdict, fields_); }

  buffer::BlockPool blocks_{{.block_bytes = 4096, .blocks_max = 4}};
  buffer::Arena arena_{blocks_, blocks_};
  http::HeaderBlock fields_{arena_};
  config::DecisionCache cache_{.enabled = true, .ttl = seconds(7), .deny_ttl = milliseconds(300)};
};

TEST_F(DecisionTtlTest, GoesByTheVerdict) {
  EXPECT_EQ(of(AuthVerdict::kAllow), seconds(7));
  EXPECT_EQ(of(AuthVerdict::kRefuse), milliseconds(300));
  EXPECT_EQ(of(AuthVerdict::kError), Duration::zero());
}

TEST_F(DecisionTtlTest, NothingIsKeptWithoutACache) {
  cache_.enabled = false;
  EXPECT_EQ(of(AuthVerdict::kAllow), Duration::zero());
}

TEST_F(DecisionTtlTest, ACookieIsForOneClient) {
  ASSERT_TRUE(fields_.add("set-cookie", "a=1"));
  EXPECT_EQ(of(AuthVerdict::kAllow), Duration::zero());
  EXPECT_EQ(of(AuthVerdict::kRefuse), Duration::zero());
}

TEST_F(DecisionTtlTest, WhatMustNotBeStoredIsNot) {
  ASSERT_TRUE(fields_.add("cache-control", "max-age=3"));
  EXPECT_EQ(of(AuthVerdict::kAllow), seconds(7));
  ASSERT_TRUE(fields_.add("cache-control", "private , No-Store"));
  EXPECT_EQ(of(AuthVerdict::kAllow), Duration::zero());
}

TEST(CalloutDepthTest, WhatIsNoNumberCountsAsTooOften) {
  EXPECT_EQ(callout_depth(""), 0U);
  EXPECT_EQ(callout_depth("1"), 1U);
  EXPECT_EQ(callout_depth("9"), 9U);
  for (const std::string_view text : {"10", "-1", "x", " 1"}) {
    EXPECT_GE(callout_depth(text), kCalloutDepthMax) << text;
  }
}

}  // namespace
}  // namespace hangu::policy
