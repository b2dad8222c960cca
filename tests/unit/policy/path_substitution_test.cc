#include "hangu/policy/path_substitution.h"

#include <random>
#include <string>
#include <string_view>
#include <vector>

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

// --- at random --------------------------------------------------------------------------------

std::string random_text(std::string_view alphabet, size_t length_max, std::mt19937& random) {
  std::string out(random() % (length_max + 1), ' ');
  for (char& c : out) {
    c = alphabet[random() % alphabet.size()];
  }
  return out;
}

/// An expression, and a path that is made so that what matches is known: the match begins with the
/// first `x` and has a group for each of some parts.
struct Known {
  std::string regex;
  std::string before;
  std::vector<std::string> parts;  // the match and its groups
  std::string after;

  explicit Known(std::mt19937& random) {
    const size_t groups = random() % 10;
    regex = "x";
    parts = {"x"};
    before = '/' + random_text("/cd.", 5, random);
    for (size_t i = 0; i < groups; ++i) {
      parts.push_back(random_text("ab/", 4, random));
      parts[0] += parts.back() + '-';
      regex += parts.back().empty() && random() % 2 == 0 ? "([ab]+)?" : "([ab/]*)";
      regex += '-';
    }
    after = random_text("abx-/", 8, random);
  }

  std::string path() const { return before + parts[0] + after; }
};

TEST(PathSubstitutionRandomTest, PutsTogetherWhatMatched) {
  std::mt19937 random(1);
  for (int i = 0; i < 4000; ++i) {
    const Known known(random);
    std::string substitution;
    std::string expected = known.before;
    for (uint64_t pieces = random() % 6; pieces > 0; --pieces) {
      if (random() % 2 == 0) {
        const size_t part = random() % known.parts.size();
        substitution += '\\' + std::to_string(part);
        expected += known.parts[part];
      } else {
        const std::string text = random_text("/?=&ab0%", 4, random);
        substitution += text;
        expected += text;
      }
    }
    expected += known.after;
    ASSERT_EQ(changed(known.regex, substitution, known.path()), expected)
        << known.regex << ' ' << substitution << ' ' << known.path();
    ASSERT_EQ(changed(known.regex, R"(\0)", known.path()), known.path());
  }
}

TEST(PathSubstitutionRandomTest, WithoutItsBeginningAPathStillHasASlash) {
  std::mt19937 random(2);
  for (int i = 0; i < 4000; ++i) {
    const std::string path = '/' + random_text("ab/", 8, random);
    const auto removed = random() % (path.size() + 1);
    const std::string text = random_text("/cd", 3, random);
    std::string expected = text + path.substr(removed);
    if (!expected.starts_with('/')) {
      expected.insert(0, 1, '/');
    }
    const std::string regex = "^.{" + std::to_string(removed) + '}';
    ASSERT_EQ(changed(regex, text, path), expected) << regex << ' ' << text << ' ' << path;
  }
}

}  // namespace
}  // namespace hangu::policy
