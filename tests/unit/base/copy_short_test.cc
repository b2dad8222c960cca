#include "hangu/base/copy_short.h"

#include <string>

#include <gtest/gtest.h>

namespace hangu {
namespace {

TEST(CopyShort, CopiesEachSizeAndNoMore) {
  std::string text;
  for (size_t size = 0; size <= 100; ++size) {
    std::string out(size + 2, '.');
    EXPECT_EQ(copy_short(text, out.data() + 1), out.data() + 1 + size);
    EXPECT_EQ(out, "." + text + ".");
    text += static_cast<char>('a' + size % 26);
  }
}

}  // namespace
}  // namespace hangu
