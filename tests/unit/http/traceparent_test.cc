#include "hangu/http/traceparent.h"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

namespace hangu::http {
namespace {

constexpr std::string_view kTraceId = "0af7651916cd43dd8448eb211c80319c";
constexpr std::string_view kParentId = "b7ad6b7169203331";

std::string field(std::string_view version, std::string_view rest) {
  return std::string(version) + "-" + std::string(kTraceId) + "-" + std::string(kParentId) +
         std::string(rest);
}

TEST(TraceparentTest, ReadsValidFields) {
  const struct {
    std::string value;
    int flags;
    bool sampled;
  } cases[] = {
      {field("00", "-00"), 0, false},    {field("00", "-01"), 1, true},
      {field("00", "-fe"), 0xfe, false}, {field("00", "-ff"), 0xff, true},
      {field("01", "-03"), 3, true},     {field("cc", "-01-what the future adds"), 1, true},
      {field("fe", "-00-"), 0, false},
  };

  for (const auto& [value, flags, sampled] : cases) {
    const auto parsed = parse_traceparent(value);
    ASSERT_TRUE(parsed.has_value()) << value;
    EXPECT_EQ(parsed->trace_id, kTraceId) << value;
    EXPECT_EQ(parsed->parent_id, kParentId) << value;
    EXPECT_EQ(parsed->flags, flags) << value;
    EXPECT_EQ(parsed->sampled(), sampled) << value;
  }
}

TEST(TraceparentTest, IgnoresInvalidFields) {
  const std::string good = field("00", "-01");
  for (size_t size = 0; size < good.size(); ++size) {
    EXPECT_FALSE(parse_traceparent(std::string(good, 0, size)).has_value()) << size;
  }
  for (const std::string& value :
       {field("ff", "-01"), field("0g", "-01"), field("0A", "-01"), field("00", "-0x"),
        field("00", "-0A"), field("00", "_01"), field("00", "-01-"), field("00", "-011"),
        field("01", "-011"), field("01", "-01.x"), " " + good, good + " ", "00_" + good.substr(3),
        good.substr(0, 35) + "_" + good.substr(36), "00-" + std::string(32, '0') + good.substr(35),
        good.substr(0, 36) + std::string(16, '0') + good.substr(52),
        "00-0AF7651916CD43DD8448EB211C80319C" + good.substr(35),
        good.substr(0, 36) + "B7AD6B7169203331" + good.substr(52)}) {
    EXPECT_FALSE(parse_traceparent(value).has_value()) << value;
  }
}

TEST(TraceparentTest, WritesANewTrace) {
  std::array<uint8_t, 16> trace{};
  std::array<uint8_t, 8> parent{};
  trace[0] = 0xab;
  trace[15] = 0x01;
  parent[7] = 0xf0;
  std::array<char, kTraceparentChars> out;
  write_traceparent(trace, parent, true, out);
  const std::string_view text(out.data(), out.size());
  EXPECT_EQ(text, "00-ab000000000000000000000000000001-00000000000000f0-01");
  ASSERT_TRUE(parse_traceparent(text).has_value());
  EXPECT_TRUE(parse_traceparent(text)->sampled());
  write_traceparent(trace, parent, false, out);
  EXPECT_TRUE(text.ends_with("-00"));
}

TEST(TraceparentTest, PassesATraceOnWithANewParent) {
  const std::string received = field("42", "-ff-more");
  const auto parsed = parse_traceparent(received);
  ASSERT_TRUE(parsed.has_value());
  const std::array<uint8_t, 8> parent{1, 2, 3, 4, 5, 6, 7, 0xff};
  std::array<char, kTraceparentChars> out;
  write_traceparent(*parsed, parent, out);
  // Of the flags only the one that level 1 knows.
  EXPECT_EQ(std::string_view(out.data(), out.size()),
            "00-" + std::string(kTraceId) + "-01020304050607ff-01");
}

}  // namespace
}  // namespace hangu::http
