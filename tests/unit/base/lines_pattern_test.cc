#include "hangu/base/lines_pattern.h"

#include <gtest/gtest.h>

#include "hangu/base/pattern.h"

namespace hangu {
namespace {

TEST(TextOfAllMatches, IsWhatStandsThereOutsideOfGroups) {
  for (const auto& [expression, text] : {std::pair("abcd", "abcd"),
                                         {"ab.*cdef", "cdef"},
                                         {"abc?def", "def"},
                                         {"abc+", "ab"},
                                         {"abc{2,3}xyz", "xyz"},
                                         {"(abcdef)xy", "xy"},
                                         {"(a(b|c)\\)d)xy[^]|(]z", "xy"},
                                         {"a\\.b\\dcc", "a.b"},
                                         {"\"path\":\"/a[0-9]+\"", "\"path\":\"/a"},
                                         {"^GET /$", "GET /"}}) {
    EXPECT_EQ(text_of_all_matches(expression), text) << expression;
  }
}

TEST(TextOfAllMatches, OfTheUnusualNothingIsSaid) {
  for (const std::string_view expression :
       {"abcd|x", "(?i)abcd", "abcd(?mi)efgh", "abcd{|x", "abcd{2", "abcd[[:alpha:]]|x",
        "\\Qabcd\\E", "abcd\\x41", "(abcd)?", ""}) {
    EXPECT_EQ(text_of_all_matches(expression), "") << expression;
  }
}

/// Lines that an expression finds, by their numbers: each by itself, and all in one pass.
std::pair<std::string, std::string> both_ways(std::string_view expression, std::string_view lines) {
  const auto single = Pattern::compile(expression);
  const auto sieve = LinesPattern::compile(expression);
  EXPECT_TRUE(single && sieve) << expression;
  std::string by_line;
  std::string at_once;
  size_t number = 0;
  for (size_t at = 0; at < lines.size(); ++number) {
    const size_t end = lines.find('\n', at);
    if (single->find(lines.substr(at, end - at), {})) {
      by_line += std::to_string(number);
    }
    const size_t found = sieve->find(lines.substr(0, end), at);
    if (found != std::string_view::npos) {
      at_once += std::to_string(number);
    }
    at = end + 1;
  }
  return {by_line, at_once};
}

TEST(LinesPattern, FindsWhatPatternFindsLineByLine) {
  const std::string_view lines = "abc\nb\n\nxaby\nc d\nabab\n";
  for (const std::string_view expression :
       {"ab", "^ab", "ab$", "^$", "a|d", "b\\b", "[^b]$", "a.*b", "(?i)AB", "c.?d", "\\s", "x*",
        "^[^a]", "c\\nb"}) {
    const auto [by_line, at_once] = both_ways(expression, lines);
    EXPECT_EQ(by_line, at_once) << expression;
  }
}

TEST(LinesPattern, NoMatchReachesIntoTheNextLine) {
  const std::string_view lines = "ab\ncd\n";
  for (const std::string_view expression : {"b[^x]c", "b\\s*c", "b(?:.|\\n)c", "b\\nc"}) {
    EXPECT_EQ(LinesPattern::compile(expression)->find(lines, 0), std::string_view::npos)
        << expression;
  }
}

TEST(LinesPattern, IsNotForWhatTheEndsOfATextMatterTo) {
  for (const std::string_view expression : {"\\Aab", "ab\\z", "a\\Cb", "(?s)a.b", "(?-m:^a)"}) {
    EXPECT_FALSE(LinesPattern::compile(expression)) << expression;
  }
  EXPECT_TRUE(LinesPattern::compile("\\\\Aab"));
}

}  // namespace
}  // namespace hangu
