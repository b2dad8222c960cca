#include "hangu/base/pattern.h"

#include <array>
#include <string>
#include <utility>

#include <gtest/gtest.h>

namespace hangu {
namespace {

Pattern pattern(std::string_view expression) {
  auto compiled = Pattern::compile(expression);
  EXPECT_TRUE(compiled) << compiled.error();
  return std::move(*compiled);
}

std::string error_of(std::string_view expression) {
  const auto compiled = Pattern::compile(expression);
  return compiled ? "" : compiled.error();
}

TEST(Pattern, TakesTheWholeTextOrNothing) {
  const Pattern version = pattern("/v[0-9]+/users");
  EXPECT_TRUE(version.matches("/v1/users"));
  EXPECT_TRUE(version.matches("/v123/users"));
  EXPECT_FALSE(version.matches("/v1/users/"));
  EXPECT_FALSE(version.matches("x/v1/users"));
  EXPECT_FALSE(version.matches(""));
  EXPECT_TRUE(pattern("a|ab").matches("ab"));  // not only the first alternative
  EXPECT_TRUE(pattern("(?i)/ABC").matches("/abc"));
  EXPECT_TRUE(pattern(".*").matches(std::string(100, '\xff')));
}

TEST(Pattern, TellsWhatTheGroupsTook) {
  const Pattern user = pattern("/(?P<kind>users|teams)/([0-9]+)(/x)?");
  EXPECT_EQ(user.groups(), (std::vector<std::string>{"kind", "", ""}));
  std::array<std::string_view, 3> groups;
  ASSERT_TRUE(user.matches("/teams/42", groups));
  EXPECT_EQ(groups[0], "teams");
  EXPECT_EQ(groups[1], "42");
  EXPECT_EQ(groups[2].data(), nullptr);
  EXPECT_FALSE(user.matches("/teams/x", groups));
}

TEST(Pattern, FindsTheFirstMatch) {
  const Pattern number = pattern("([0-9])([0-9]*)");
  std::array<std::string_view, 2> parts;
  ASSERT_TRUE(number.find("ab12c345", parts));
  EXPECT_EQ(parts[0], "12");
  EXPECT_EQ(parts[1], "1");
  EXPECT_FALSE(number.find("abc", parts));
}

TEST(Pattern, SaysWhatIsWrong) {
  EXPECT_EQ(error_of("/a(b"), "missing ): /a(b");
  EXPECT_EQ(error_of("(?=a)"), "invalid perl operator: (?=");  // no look-around: it is not linear
  EXPECT_EQ(error_of(std::string(2000, 'a')), "it is longer than 1024 bytes");
  EXPECT_EQ(error_of("((((a{100}){100}){100}){10})"), "invalid repetition size: {100}");
  std::string large;
  while (large.size() < 1000) {
    large += "[ab]{1000}";
  }
  EXPECT_EQ(error_of(large), "it is too large once compiled");
  EXPECT_NE(error_of("()()()()()()()()()()()()()()()()"), "");
}

/// What backtracking would do in 2^n steps.
TEST(Pattern, TakesLinearTime) {
  EXPECT_FALSE(pattern("(a*)*(a*)*(a*)*b").matches(std::string(100'000, 'a')));
}

}  // namespace
}  // namespace hangu
