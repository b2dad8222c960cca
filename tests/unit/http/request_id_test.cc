#include "hangu/http/request_id.h"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

namespace hangu::http {
namespace {

using Random = std::array<uint8_t, 10>;

std::string uuid(uint64_t unix_ms, const Random& random) {
  std::array<char, kUuidChars> text;
  write_uuid_v7(unix_ms, random, text);
  return std::string(text.data(), text.size());
}

TEST(RequestIdTest, BelievesHarmlessIdsOnly) {
  constexpr std::string_view kHarmless =
      "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-._~:=+/@";
  for (int byte = 0; byte < 256; ++byte) {
    const std::string id{'a', static_cast<char>(byte)};
    EXPECT_EQ(valid_request_id(id), kHarmless.find(id[1]) != std::string_view::npos) << byte;
  }
  EXPECT_FALSE(valid_request_id(""));
  EXPECT_TRUE(valid_request_id("a"));
  EXPECT_TRUE(valid_request_id(std::string(kRequestIdBytesMax, 'a')));
  EXPECT_FALSE(valid_request_id(std::string(kRequestIdBytesMax + 1, 'a')));
}

// The example of RFC 9562, appendix A.6.
TEST(RequestIdTest, WritesVersionSeven) {
  const Random random{0x0c, 0xc3, 0x18, 0xc4, 0xdc, 0x0c, 0x0c, 0x07, 0x39, 0x8f};
  EXPECT_EQ(uuid(0x017f22e279b0, random), "017f22e2-79b0-7cc3-98c4-dc0c0c07398f");
}

TEST(RequestIdTest, SetsVersionAndVariantWhateverIsRandom) {
  Random ones;
  ones.fill(0xff);
  EXPECT_EQ(uuid(0, {}), "00000000-0000-7000-8000-000000000000");
  EXPECT_EQ(uuid(0xffffffffffff, ones), "ffffffff-ffff-7fff-bfff-ffffffffffff");
}

TEST(RequestIdTest, SortsByTimeAndPassesItsOwnCheck) {
  std::string before;
  Random random{9, 8, 7, 6, 5, 4, 3, 2, 1, 0};
  for (uint64_t ms = 1700000000000; ms < 1700000000600; ++ms) {
    random[0] = static_cast<uint8_t>(random[0] - 1);
    const std::string id = uuid(ms, random);
    EXPECT_LT(before, id);
    EXPECT_TRUE(valid_request_id(id));
    before = id;
  }
}

}  // namespace
}  // namespace hangu::http
