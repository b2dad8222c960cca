#include "hangu/policy/path_substitution.h"

#include <gtest/gtest.h>

namespace hangu::policy {
namespace {

std::string changed(std::string_view regex, std::string_view substitution, std::string_view path) {
  const auto compiled = PathSubstitution::compile(regex, substitution);
  if (!compiled) {
    return compiled.error();
  }
  PathSubstitution::Parts parts;
  if (!compiled->find(path, parts)) {
    return "no match";
  }
  std::string out(compiled->bytes_max(path, parts), '\0');
  char* const end = compiled->write(path, parts, out.data());
  EXPECT_LE(end, out.data() + out.size());
  out.resize(static_cast<size_t>(end - out.data()));
  return out;
}

TEST(PathSubstitutionTest, GroupsTakeTheirPlaces) {
  EXPECT_EQ(changed("^/v([0-9]+)/(.*)$", R"(/\2/\1)", "/v12/a/b"), "/a/b/12");
  EXPECT_EQ(changed("^/users/([^/]+)$", R"(/user?id=\1)", "/users/7"), "/user?id=7");
  EXPECT_EQ(changed("/old/", "/new/", "/a/old/old/b"), "/a/new/old/b");
  EXPECT_EQ(changed("b", R"([\0\0])", "/abc"), "/a[bb]c");
  EXPECT_EQ(changed("(x)?b", R"(-\1-)", "/abc"), "/a--c");
  EXPECT_EQ(changed("^/nothing", "/", "/abc"), "no match");
}

TEST(PathSubstitutionTest, APathBeginsWithASlash) {
  EXPECT_EQ(changed("^/strip", "", "/strip/a"), "/a");
  EXPECT_EQ(changed("^/strip/", "", "/strip/a"), "/a");
  EXPECT_EQ(changed("^/.*$", "", "/a"), "/");
  EXPECT_EQ(changed("^/(.*)$", R"(\1)", "/a"), "/a");
}

TEST(PathSubstitutionTest, WhatIsNoSubstitutionIsSaidSo) {
  EXPECT_NE(changed("(", "/", "/a"), "no match");
  EXPECT_EQ(changed("a", R"(\1)", "/a"), R"(`\1`: the expression has 0 groups)");
  EXPECT_EQ(changed("a", R"(\x)", "/a"), R"(after `\` stands the number of a group, 0 … 9)");
  EXPECT_EQ(changed("a", "/a b", "/a"), "a character that cannot stand in a path or query");
  EXPECT_EQ(changed("a", "/a\r\n", "/a"), "a character that cannot stand in a path or query");
}

}  // namespace
}  // namespace hangu::policy
