#include "hangu/base/nearest.h"

#include <array>

#include <gtest/gtest.h>

namespace hangu {
namespace {

constexpr std::array<std::string_view, 5> kVerbs{"run", "check", "reload", "status", "explain"};

TEST(Nearest, FindsTypingErrors) {
  EXPECT_EQ(nearest("relaod", kVerbs), "reload");
  EXPECT_EQ(nearest("rnu", kVerbs), "run");
  EXPECT_EQ(nearest("STATUS", kVerbs), "status");
  EXPECT_EQ(nearest("chek", kVerbs), "check");
}

TEST(Nearest, SaysNothingOfWhatIsFarAway) {
  EXPECT_EQ(nearest("", kVerbs), "");
  EXPECT_EQ(nearest("xyz", kVerbs), "");
  EXPECT_EQ(nearest("completely-different", kVerbs), "");
  EXPECT_EQ(nearest(std::string_view("reload").substr(0, 2), kVerbs), "");
}

}  // namespace
}  // namespace hangu
