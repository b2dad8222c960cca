#include "hangu/base/utf8.h"

#include <gtest/gtest.h>

namespace hangu {
namespace {

TEST(Utf8Test, CutsBetweenCharacters) {
  EXPECT_EQ(utf8_prefix("a中b", 10), "a中b");
  EXPECT_EQ(utf8_prefix("a中b", 5), "a中b");
  EXPECT_EQ(utf8_prefix("a中b", 4), "a中");
  EXPECT_EQ(utf8_prefix("a中b", 3), "a");
  EXPECT_EQ(utf8_prefix("a中b", 2), "a");
  EXPECT_EQ(utf8_prefix("a中b", 1), "a");
  EXPECT_EQ(utf8_prefix("中", 2), "");
  EXPECT_EQ(utf8_prefix("", 2), "");
}

TEST(Utf8Test, RepairsWhatIsNoCharacter) {
  EXPECT_EQ(utf8_repaired("a中\xF0\x9F\x90\xA7 z"), "a中\xF0\x9F\x90\xA7 z");
  EXPECT_EQ(utf8_repaired("\xFF!"), "\xEF\xBF\xBD!");
  EXPECT_EQ(utf8_repaired("a\xE4\xB8"), "a\xEF\xBF\xBD\xEF\xBF\xBD");
  EXPECT_EQ(utf8_repaired("\xC0\x80"), "\xEF\xBF\xBD\xEF\xBF\xBD") << "overlong";
  EXPECT_EQ(utf8_repaired("\xED\xA0\x80"), "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD") << "a surrogate";
}

}  // namespace
}  // namespace hangu
