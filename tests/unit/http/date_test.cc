#include "hangu/http/date.h"

#include <string>

#include <gtest/gtest.h>

namespace hangu::http {
namespace {

std::string date(int64_t unix_seconds) {
  std::string text(kDateChars, '?');
  write_date(unix_seconds, std::span<char, kDateChars>(text.data(), kDateChars));
  return text;
}

TEST(Date, OfTheRfc) {
  EXPECT_EQ(date(784111777), "Sun, 06 Nov 1994 08:49:37 GMT");
}

TEST(Date, BordersOfYearsAndLeapDays) {
  EXPECT_EQ(date(0), "Thu, 01 Jan 1970 00:00:00 GMT");
  EXPECT_EQ(date(951782400), "Tue, 29 Feb 2000 00:00:00 GMT");
  EXPECT_EQ(date(1798761599), "Thu, 31 Dec 2026 23:59:59 GMT");
  EXPECT_EQ(date(253402300799), "Fri, 31 Dec 9999 23:59:59 GMT");
}

}  // namespace
}  // namespace hangu::http
