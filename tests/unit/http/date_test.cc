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

TEST(Date, IsReadAsItIsWritten) {
  for (const int64_t time : {int64_t{0}, int64_t{784111777}, int64_t{951782400},
                             int64_t{1798761599}, int64_t{253402300799}}) {
    EXPECT_EQ(parse_date(date(time)), time);
  }
}

TEST(Date, IsRefusedInAnyOtherForm) {
  for (const char* const text :
       {"Mon, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 UTC",
        "Sun, 31 Feb 1994 08:49:37 GMT", "Sun, 06 Nov 1994 24:49:37 GMT",
        "Sun, 06 nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994", "Sun, 06 Nov 1994 08:49:60 GMT",
        "Sun, 06 Nov 1994 08:49:37 GMT ", "Sun, 06 uNo 1994 08:49:37 GMT", ""}) {
    EXPECT_FALSE(parse_date(text)) << text;
  }
}

}  // namespace
}  // namespace hangu::http
