// Which path an upstream is asked for.
#include "hangu/policy/path_rewrite.h"

#include <random>
#include <string>

#include <gtest/gtest.h>

namespace hangu::policy {
namespace {

std::string rewritten(const config::RouteMatch& match, std::string_view path,
                      std::string_view prefix, std::string_view asked) {
  const PathParts parts = rewrite_path(match, path, prefix, asked);
  return std::string(parts.head) + std::string(parts.tail);
}

TEST(PathRewrite, APathStandsForTheWholeAPrefixForWhatWasMatched) {
  const config::RouteMatch api{.path_prefix = "/api"};
  EXPECT_EQ(rewritten(api, "", "", "/api/users"), "/api/users");
  EXPECT_EQ(rewritten(api, "/fixed", "", "/api/users"), "/fixed");
  EXPECT_EQ(rewritten(api, "", "/v2", "/api/users"), "/v2/users");
  EXPECT_EQ(rewritten(api, "", "/v2/", "/api/users"), "/v2/users");
  EXPECT_EQ(rewritten(api, "", "/", "/api/users"), "/users");
  EXPECT_EQ(rewritten(api, "", "/v2", "/api"), "/v2");
  EXPECT_EQ(rewritten({.path_prefix = "/api/"}, "", "/v2", "/api/users"), "/v2/users");
  EXPECT_EQ(rewritten({.path_exact = "/api"}, "", "/v2", "/api"), "/v2");
  EXPECT_EQ(rewritten({}, "", "/v2", "/api/users"), "/v2/api/users");
}

/// The new prefix, then what followed the old one, with one slash between them.
TEST(PathRewriteRandomTest, WhatFollowsThePrefixStays) {
  std::mt19937 random(1);
  const auto segments = [&random](size_t count) {
    std::string path;
    for (size_t i = 0; i < count; ++i) {
      path += '/' + std::string(1 + random() % 3, "abc"[random() % 3]);
    }
    return path;
  };
  for (int i = 0; i < 20'000; ++i) {
    const std::string matched = segments(random() % 3);
    const std::string follows =
        matched.empty() ? segments(1 + random() % 3) : segments(random() % 3);
    const std::string prefix = segments(random() % 3);
    const std::string slash = prefix.empty() || random() % 2 == 0 ? "/" : "";
    const config::RouteMatch match{.path_prefix = matched + (random() % 2 == 0 ? "/" : "")};
    const std::string expected = follows.empty() ? prefix + slash : prefix + follows;
    ASSERT_EQ(rewritten(match, "", prefix + slash, matched + follows), expected)
        << match.path_prefix << ' ' << prefix + slash << ' ' << matched + follows;
  }
}

}  // namespace
}  // namespace hangu::policy
