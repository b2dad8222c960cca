#include "hangu/base/unix_time.h"

#include <gtest/gtest.h>

namespace hangu {
namespace {

using std::chrono_literals::operator""ms;
using std::chrono_literals::operator""ns;
using std::chrono_literals::operator""s;

TEST(UnixTime, IsRoundedDown) {
  EXPECT_EQ(unix_seconds(WallTime(0s)), 0);
  EXPECT_EQ(unix_seconds(WallTime(1'795'467'425s + 999'999'999ns)), 1'795'467'425);
  EXPECT_EQ(unix_milliseconds(WallTime(1s + 999'999ns)), 1000);
  EXPECT_EQ(unix_milliseconds(WallTime(1s + 1ms)), 1001);
  EXPECT_EQ(unix_seconds(WallTime(-1ns)), -1);
  EXPECT_EQ(unix_milliseconds(WallTime(-1ns)), -1);
}

}  // namespace
}  // namespace hangu
