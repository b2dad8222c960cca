#include "hangu/http/text.h"

#include <string_view>
#include <vector>

#include <gtest/gtest.h>

namespace hangu::http {
namespace {

using namespace std::string_view_literals;

TEST(TextTest, KnowsTokenCharacters) {
  constexpr std::string_view kTokenChars =
      "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
  for (int byte = 0; byte < 256; ++byte) {
    const char c = static_cast<char>(byte);
    EXPECT_EQ(is_token_char(c), kTokenChars.find(c) != std::string_view::npos) << byte;
  }
  EXPECT_TRUE(is_token("chunked"));
  EXPECT_FALSE(is_token(""));
  EXPECT_FALSE(is_token("a b"));
  EXPECT_FALSE(is_token("a\0"sv));
}

TEST(TextTest, KnowsFieldValues) {
  for (int byte = 0; byte < 256; ++byte) {
    const char c = static_cast<char>(byte);
    const bool control = (byte < 0x20 && byte != '\t') || byte == 0x7f;
    EXPECT_EQ(is_field_value(std::string_view(&c, 1)), !control) << byte;
  }
  EXPECT_TRUE(is_field_value(""));
  EXPECT_FALSE(is_field_value("a\r\nb"));
}

TEST(TextTest, ComparesWithoutCase) {
  EXPECT_TRUE(equals_ignore_case("", ""));
  EXPECT_TRUE(equals_ignore_case("Keep-Alive", "kEEP-aLIVE"));
  EXPECT_FALSE(equals_ignore_case("close", "closed"));
  // Bytes that differ from others in the same bit as the cases of letters do.
  EXPECT_FALSE(equals_ignore_case("[", "{"));
  EXPECT_FALSE(equals_ignore_case("@", "`"));
  EXPECT_FALSE(equals_ignore_case("\r", "-"));
  EXPECT_FALSE(equals_ignore_case("\xc3", "\xe3"));
  EXPECT_EQ(to_lower('Z'), 'z');
  EXPECT_EQ(to_lower('['), '[');
}

TEST(TextTest, TrimsSpacesAndTabsOnly) {
  const struct {
    std::string_view text;
    std::string_view trimmed;
  } cases[] = {{"", ""},       {" \t ", ""},   {"a", "a"},        {" a\tb\t ", "a\tb"},
               {"\ra", "\ra"}, {"a\n", "a\n"}, {" \xa0 ", "\xa0"}};

  for (const auto& [text, trimmed] : cases) {
    EXPECT_EQ(trim_ows(text), trimmed);
  }
}

TEST(TextTest, TakesListsApart) {
  const struct {
    std::string_view list;
    std::vector<std::string_view> elements;
  } cases[] = {
      {"", {}},
      {"a", {"a"}},
      {" a ,b\t, c d ", {"a", "b", "c d"}},
      {",", {""}},
      {",a,,b,", {"", "a", "", "b"}},
  };

  for (const auto& [list, elements] : cases) {
    std::vector<std::string_view> taken;
    std::string_view rest = list;
    while (!rest.empty()) {
      taken.push_back(next_list_element(rest));
    }
    EXPECT_EQ(taken, elements) << list;
  }
}

}  // namespace
}  // namespace hangu::http
