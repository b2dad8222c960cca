#include <chrono>
#include <string>

#include <gtest/gtest.h>

#include "hangu/http/grpc.h"

namespace hangu::http {
namespace {

using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

std::string written(Duration timeout) {
  char text[kGrpcTimeoutChars];
  return {text, write_grpc_timeout(timeout, text)};
}

TEST(GrpcTimeoutTest, IsWrittenAsFineAsEightDigitsAllow) {
  EXPECT_EQ(written(microseconds(1)), "1u");
  EXPECT_EQ(written(seconds(99)), "99000000u");
  EXPECT_EQ(written(seconds(100)), "100000m");
  EXPECT_EQ(written(hours(27)), "97200000m");
  EXPECT_EQ(written(hours(28)), "100800S");
}

TEST(GrpcTimeoutTest, IsRoundedDownButNeverToNothing) {
  EXPECT_EQ(written(nanoseconds(1999)), "1u");
  EXPECT_EQ(written(nanoseconds(1)), "1u");
  EXPECT_EQ(written(nanoseconds(-5)), "1u");
}

TEST(GrpcTimeoutTest, ReadsWhatItWrites) {
  for (Duration timeout = microseconds(7); timeout < hours(8000); timeout *= 3) {
    const auto read = parse_grpc_timeout(written(timeout));
    ASSERT_TRUE(read.has_value());
    EXPECT_LE(*read, timeout);
    EXPECT_GE(*read, timeout - timeout / 1000) << timeout.count();
  }
}

}  // namespace
}  // namespace hangu::http
