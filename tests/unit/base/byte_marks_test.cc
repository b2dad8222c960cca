#include "hangu/base/byte_marks.h"

#include <string>

#include <gtest/gtest.h>

namespace hangu {
namespace {

/// The places of the marks.
std::string places(uint64_t marks) {
  EXPECT_EQ(marks & ~kByteMarks, 0U);
  std::string found;
  for (size_t i = 0; i < 8; ++i) {
    if ((marks >> (8 * i) & 0x80) != 0) {
      found += static_cast<char>('0' + i);
    }
  }
  return found;
}

std::string first_of(uint64_t marks) {
  return places(marks).substr(0, 1);
}

TEST(ByteMarks, Digits) {
  EXPECT_EQ(places(digit_marks(eight_bytes("/0a9:5x8"))), "1357");
  EXPECT_EQ(places(digit_marks(eight_bytes("\xb0\xb5\xb9\x00\xff\x7f\x80\x39"))), "7");
}

TEST(ByteMarks, AreOfTheByteAtItsPlace) {
  for (unsigned byte = 0; byte < 256; ++byte) {
    for (unsigned other = 0; other < 256; ++other) {
      for (size_t at = 0; at < 8; ++at) {
        std::string text(8, static_cast<char>(other));
        text[at] = static_cast<char>(byte);
        const uint64_t bytes = eight_bytes(text.data());
        const auto place = std::to_string(at);
        const bool others_digits = other >= '0' && other <= '9';
        std::string digits = others_digits ? "01234567" : "";
        if (others_digits && !(byte >= '0' && byte <= '9')) {
          digits.erase(at, 1);
        } else if (!others_digits && byte >= '0' && byte <= '9') {
          digits = place;
        }
        ASSERT_EQ(places(digit_marks(bytes)), digits) << byte << " " << other;
        if (byte != other) {
          const auto wanted = static_cast<uint8_t>(byte);
          ASSERT_EQ(first_of(first_mark_of(wanted, bytes)), place) << byte << " " << other;
        }
        if (byte < 0x20 && other >= 0x20) {
          ASSERT_EQ(first_of(first_mark_below(0x20, bytes)), place) << byte << " " << other;
        } else if (byte >= 0x20 && other >= 0x20) {
          ASSERT_EQ(first_mark_below(0x20, bytes), 0U) << byte << " " << other;
        }
      }
    }
  }
}

}  // namespace
}  // namespace hangu
