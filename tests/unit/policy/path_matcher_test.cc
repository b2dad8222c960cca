#include "hangu/policy/path_matcher.h"

#include <algorithm>
#include <array>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

namespace hangu::policy {
namespace {

/// What a template captures, "-" when it does not take the path.
std::string captured(const std::string& path_template, std::string_view path) {
  const config::RouteMatch match{.path_template = path_template};
  const PathMatcher matcher(match);
  if (!matcher.takes(path)) {
    return "-";
  }
  std::vector<std::string_view> values(matcher.captures().size());
  matcher.capture(path, values);
  std::string out;
  for (size_t i = 0; i < values.size(); ++i) {
    out += matcher.captures()[i] + '=' + std::string(values[i]) + ';';
  }
  return out;
}

TEST(PathMatcher, CapturesTakeWholeSegments) {
  EXPECT_EQ(captured("/users/{id}", "/users/42"), "id=42;");
  EXPECT_EQ(captured("/users/{id}/orders/{order}", "/users/42/orders/7"), "id=42;order=7;");
  EXPECT_EQ(captured("/{a}/{b}", "/x/y"), "a=x;b=y;");
  EXPECT_EQ(captured("/users/{id}/", "/users/42/"), "id=42;");
  for (const char* other : {"/users", "/users/", "/users/42/", "/users/42/x", "/user/42",
                            "users/42", "", "*", "/users//42"}) {
    EXPECT_EQ(captured("/users/{id}", other), "-") << other;
  }
}

TEST(PathMatcher, TheRestIsAtLeastOneSegment) {
  EXPECT_EQ(captured("/files/{path*}", "/files/a"), "path=a;");
  EXPECT_EQ(captured("/files/{path*}", "/files/a/b/c/"), "path=a/b/c/;");
  EXPECT_EQ(captured("/{user}/{path*}", "/u/a/b"), "user=u;path=a/b;");
  EXPECT_EQ(captured("/{all*}", "/x"), "all=x;");
  for (const char* other : {"/files", "/files/", "/filesa", "/"}) {
    EXPECT_EQ(captured("/files/{path*}", other), "-") << other;
  }
}

TEST(PathMatcher, TemplatesAreChecked) {
  const auto error = [](std::string_view text) {
    const auto parsed = config::PathTemplate::parse(text);
    return parsed ? std::string() : parsed.error();
  };
  EXPECT_EQ(error("/a/{id}"), "");
  EXPECT_EQ(error("a"), "it does not begin with `/`");
  EXPECT_EQ(error("/{rest*}/a"), "{rest*} stands at the end or nowhere");
  EXPECT_EQ(error("/{a}/{a}"), "two captures are named \"a\"");
  EXPECT_EQ(error("/x{a}"), "the segment \"x{a}\" is neither text nor one capture");
  EXPECT_EQ(error("/{a"), "the segment \"{a\" is neither text nor one capture");
  EXPECT_EQ(error("/{a-b}"), "\"a-b\" is no name for a capture: letters, digits and _");
  std::string deep;
  for (int i = 0; i < 33; ++i) {
    deep += "/a";
  }
  EXPECT_EQ(error(deep), "it has more than 32 segments");
}

TEST(PathMaker, FillsInWhatWasCaptured) {
  const std::vector<std::string> names = {"id", "rest"};
  const std::vector<std::string_view> values = {"42", "a/b"};
  const PathMaker maker("/v2/{rest}/of/{id}", names);
  EXPECT_TRUE(maker.has_captures());
  std::string out(maker.size(values), '?');
  EXPECT_EQ(maker.write(values, out.data()), out.data() + out.size());
  EXPECT_EQ(out, "/v2/a/b/of/42");
  EXPECT_FALSE(PathMaker("/plain", names).has_captures());
}

// --- at random --------------------------------------------------------------------------------

/// What lies between the slashes of a path, which begins with one.
std::vector<std::string> segments_of(std::string_view path) {
  std::vector<std::string> out;
  while (!path.empty()) {
    path.remove_prefix(1);
    out.emplace_back(path.substr(0, path.find('/')));
    path.remove_prefix(out.back().size());
  }
  return out;
}

std::string random_path(size_t segments, std::mt19937& random) {
  constexpr std::array<std::string_view, 5> kSegments = {"a", "b", "cc", "a", ""};
  std::string path;
  for (size_t i = 0; i < segments; ++i) {
    path += '/';
    path += kSegments[random() % kSegments.size()];
  }
  return path;
}

/// As captured() tells it, found segment by segment.
std::string expected_captures(const std::vector<std::string>& wanted, std::string_view path) {
  std::vector<std::string> given = segments_of(path);
  const bool rest = wanted.back().ends_with("*}");
  if (rest ? given.size() < wanted.size() : given.size() != wanted.size()) {
    return "-";
  }
  std::string out;
  for (size_t i = 0; i < wanted.size(); ++i) {
    if (rest && i + 1 == wanted.size()) {
      for (size_t more = wanted.size(); more < given.size(); ++more) {
        given[i] += '/' + given[more];
      }
    }
    if (!wanted[i].starts_with('{')) {
      if (wanted[i] != given[i]) {
        return "-";
      }
    } else if (given[i].empty()) {
      return "-";
    } else {
      out += wanted[i].substr(1, wanted[i].find_first_of("*}") - 1) + '=' + given[i] + ';';
    }
  }
  return out;
}

TEST(PathMatcherRandomTest, TakesAndCapturesSegmentBySegment) {
  std::mt19937 random(1);
  int taken = 0;
  for (int i = 0; i < 50'000; ++i) {
    std::vector<std::string> wanted = segments_of(random_path(1 + random() % 4, random));
    std::string text;
    for (size_t at = 0; at < wanted.size(); ++at) {
      if (wanted[at].empty() || random() % 2 == 0) {
        const bool rest = at + 1 == wanted.size() && random() % 2 == 0;
        wanted[at] = "{c" + std::to_string(at) + (rest ? "*}" : "}");
      }
      text += '/' + wanted[at];
    }
    const std::string path = random_path(wanted.size() + random() % 3 - random() % 2, random);
    const std::string expected = expected_captures(wanted, path);
    ASSERT_EQ(captured(text, path), expected) << text << ' ' << path;
    taken += expected != "-" ? 1 : 0;
  }
  EXPECT_GT(taken, 2000);
}

TEST(PathMatcherRandomTest, PrefixesTakeWholeSegments) {
  std::mt19937 random(2);
  int taken = 0;
  for (int i = 0; i < 50'000; ++i) {
    const std::string prefix = random_path(1 + random() % 2, random);
    const std::string path = random_path(1 + random() % 3, random);
    std::vector<std::string> wanted = segments_of(prefix);
    if (wanted.back().empty()) {
      wanted.pop_back();
    }
    const std::vector<std::string> given = segments_of(path);
    const bool expected =
        wanted.size() <= given.size() && std::equal(wanted.begin(), wanted.end(), given.begin());
    ASSERT_EQ(PathMatcher({.path_prefix = prefix}).takes(path), expected) << prefix << ' ' << path;
    taken += expected ? 1 : 0;
  }
  EXPECT_GT(taken, 2000);
}

TEST(PathMakerRandomTest, PutsCapturesBackWhereTheyWere) {
  std::mt19937 random(3);
  for (int i = 0; i < 20'000; ++i) {
    std::vector<std::string> segments = segments_of(random_path(1 + random() % 5, random));
    std::vector<std::string> names;
    std::vector<std::string> texts;
    std::string text;
    std::string path;
    for (size_t at = 0; at < segments.size(); ++at) {
      path += '/' + segments[at];
      if (random() % 2 == 0) {
        names.push_back('c' + std::to_string(at));
        texts.push_back(segments[at]);
        segments[at] = '{' + names.back() + '}';
      }
      text += '/' + segments[at];
    }
    const std::vector<std::string_view> values(texts.begin(), texts.end());
    const PathMaker maker(text, names);
    std::string made(maker.size(values), '?');
    ASSERT_EQ(maker.write(values, made.data()), made.data() + made.size());
    ASSERT_EQ(made, path) << text;
    ASSERT_EQ(maker.has_captures(), !names.empty());
  }
}

}  // namespace
}  // namespace hangu::policy
