#include "hangu/base/base64.h"

#include <gtest/gtest.h>

namespace hangu {
namespace {

TEST(Base64UrlTest, RoundTripsEveryLength) {
  std::string bytes;
  for (int i = 0; i < 70; ++i) {
    EXPECT_EQ(decode_base64url(encode_base64url(bytes)), bytes);
    bytes.push_back(static_cast<char>(i * 37));
  }
}

TEST(Base64UrlTest, RefusesWhatIsNotCanonical) {
  for (const char* text : {"A", "AA=", "AA==", "A A", "AB+/", "AA\n", "AB", "AAB", "=", "AAAAA"}) {
    EXPECT_FALSE(decode_base64url(text)) << text;
  }
}

TEST(Base64UrlTest, ReadsTheVectorsOfTheRfc) {
  EXPECT_EQ(decode_base64url("Zm9vYmFy"), "foobar");
  EXPECT_EQ(decode_base64url("Zm9vYg"), "foob");
  EXPECT_EQ(decode_base64url("Zg"), "f");
  EXPECT_EQ(decode_base64("Zg=="), "f");
  EXPECT_EQ(decode_base64("Zm8="), "fo");
  EXPECT_EQ(decode_base64("+/+/"), decode_base64url("-_-_"));
}

}  // namespace
}  // namespace hangu
