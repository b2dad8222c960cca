#include "config/regex_samples.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hangu/base/pattern.h"

namespace hangu::config {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

TEST(RegexSamplesTest, EachAlternativeAndWhatMayBeLeftOut) {
  EXPECT_THAT(regex_samples("/a"), ElementsAre("/a"));
  EXPECT_THAT(regex_samples("^/a$"), ElementsAre("/a"));
  EXPECT_THAT(regex_samples("/a|/b"), ElementsAre("/a", "/b"));
  EXPECT_THAT(regex_samples("/(x|y)z"), ElementsAre("/xz", "/yz"));
  EXPECT_THAT(regex_samples("/a(/b)?"), ElementsAre("/a", "/a/b"));
  EXPECT_THAT(regex_samples("/a*"), ElementsAre("/", "/a"));
  EXPECT_THAT(regex_samples("/a+?"), ElementsAre("/a"));
  EXPECT_THAT(regex_samples("/a{3,}"), ElementsAre("/aaa"));
  EXPECT_THAT(regex_samples("/a{0,2}"), ElementsAre("/", "/a"));
  EXPECT_THAT(regex_samples("/(?:a|b)(?P<c>c|d)"), ElementsAre("/ac", "/ad", "/bc", "/bd"));
  EXPECT_THAT(regex_samples(R"(/a\.b\d)"), ElementsAre("/a.b0"));
  EXPECT_THAT(regex_samples(R"(/[^/a]+/[\w-]+/[]x]/[b-d])"), ElementsAre("/0/a/]/b"));
}

TEST(RegexSamplesTest, TheyMatch) {
  for (const char* expression :
       {"/v[0-9]+/users/[^/]+", "/(a|b|c)(d|e)?/.*", R"(/x/\d{4}-\d{2}(/[A-Z]\w*)?)",
        "/api/(?P<name>[a-z0-9-]{1,32})", R"(/[^\d/]+\.html?)", "/(((a)))", "(/a)+/b", "/a{64}"}) {
    const auto pattern = Pattern::compile(expression);
    ASSERT_TRUE(pattern) << expression;
    const auto samples = regex_samples(expression);
    EXPECT_THAT(samples, Not(IsEmpty())) << expression;
    for (const std::string& sample : samples) {
      EXPECT_TRUE(pattern->matches(sample)) << expression << ": " << sample;
    }
  }
}

TEST(RegexSamplesTest, NoneOfWhatItDoesNotKnow) {
  for (const char* expression : {"(?i)/a", R"(/\bx)", R"(/\pL)", "/[[:alpha:]]", "/a{2000}", "/(a",
                                 "/a)", "/[a", "/a{", "*", R"(/\)", R"(/[a-\d])"}) {
    EXPECT_THAT(regex_samples(expression), IsEmpty()) << expression;
  }
}

TEST(RegexSamplesTest, TheyAreFew) {
  EXPECT_THAT(regex_samples("(a|b|c|d)(a|b|c|d)(a|b|c|d)"), SizeIs(kRegexSamplesMax));
  EXPECT_THAT(regex_samples("((a?b?c?d?){8}){8}"), SizeIs(kRegexSamplesMax));
  EXPECT_THAT(regex_samples("a|b|c|d|e|f|g|h|i|j|k|l|m|n|o|p|q|r|s"), Contains("p"));
  EXPECT_THAT(regex_samples(std::string(100, '(') + "a" + std::string(100, ')')), IsEmpty());
}

}  // namespace
}  // namespace hangu::config
