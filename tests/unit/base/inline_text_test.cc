#include "hangu/base/inline_text.h"

#include <string>
#include <utility>

#include <gtest/gtest.h>

namespace hangu {
namespace {

using Text = InlineText<8>;

bool is_inside(const Text& text) {
  const auto* const begin = reinterpret_cast<const char*>(&text);
  return text.view().data() >= begin && text.view().data() < begin + sizeof(text);
}

TEST(InlineText, IsEmptyAtFirst) {
  EXPECT_EQ(Text().view(), "");
}

TEST(InlineText, KeepsWhatFitsInside) {
  EXPECT_EQ(Text("12345678").view(), "12345678");
  EXPECT_TRUE(is_inside(Text("12345678")));
  EXPECT_FALSE(is_inside(Text("123456789")));
  EXPECT_EQ(Text("123456789").view(), "123456789");
}

TEST(InlineText, CopiesAreTheirOwn) {
  for (const std::string text : {"short", "longer than inside"}) {
    Text copy;
    {
      const Text original(text);
      copy = original;
      EXPECT_NE(copy.view().data(), original.view().data());
    }
    EXPECT_EQ(copy.view(), text);
    const Text moved(std::move(copy));
    EXPECT_EQ(moved.view(), text);
  }
}

TEST(InlineText, FillsACacheLine) {
  EXPECT_EQ(sizeof(InlineText<52>), 64);
}

}  // namespace
}  // namespace hangu
