#include "hangu/policy/path_matcher.h"

#include <string>
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

}  // namespace
}  // namespace hangu::policy
