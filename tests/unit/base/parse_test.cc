#include "hangu/base/parse.h"

#include <gtest/gtest.h>

namespace hangu {
namespace {

TEST(Parse, Decimal) {
  EXPECT_EQ(parse_decimal("0"), 0U);
  EXPECT_EQ(parse_decimal("007"), 7U);
  EXPECT_EQ(parse_decimal("9999999999999999999"), 9999999999999999999ULL);
  EXPECT_EQ(parse_decimal("18446744073709551615"), UINT64_MAX);
  EXPECT_EQ(parse_decimal("65535", 65535), 65535U);
}

TEST(Parse, DecimalRefusesWhatIsNoNumber) {
  for (const char* text : {"", " 1", "1 ", "+1", "-1", "1.0", "0x1", "1e3", "1,0", "١"}) {
    EXPECT_FALSE(parse_decimal(text)) << text;
  }
}

TEST(Parse, DecimalRefusesOverflow) {
  for (const char* text : {"18446744073709551616", "18446744073709551625", "99999999999999999999",
                           "100000000000000000000", "000000000000000000018446744073709551616"}) {
    EXPECT_FALSE(parse_decimal(text)) << text;
  }
  EXPECT_FALSE(parse_decimal("65536", 65535));
}

TEST(Parse, Hex) {
  EXPECT_EQ(parse_hex("fF"), 255U);
  EXPECT_EQ(parse_hex("ffffffffffffffff"), UINT64_MAX);
  EXPECT_FALSE(parse_hex("10000000000000000"));
  EXPECT_FALSE(parse_hex("g"));
  EXPECT_FALSE(parse_hex(""));
}

}  // namespace
}  // namespace hangu
