#include "hangu/audit/record.h"

#include <string>

#include <gtest/gtest.h>

namespace hangu::audit {
namespace {

TEST(Record, UnpacksToWhatWasPacked) {
  Record record;
  record.event = Event::kRateLimited;
  record.outcome = Outcome::kDenied;
  record.time = WallTime(std::chrono::nanoseconds(1'700'000'000'123'456'789));
  record.generation = 7;
  record.lost = 3;
  record.set(Text::kPath, "/a/b");
  record.set(Text::kDetail, "last");
  record.set(Number::kStatus, 429);
  record.set(Number::kRequestBytes, 0);
  std::array<char, kPackedBytesMax> buffer;
  const std::string_view packed = pack(record, buffer);
  EXPECT_EQ(packed_size(packed), packed.size());
  EXPECT_LE(packed.size(), packed_bytes(8));
  const Record again = unpack(packed);
  EXPECT_EQ(again.event, record.event);
  EXPECT_EQ(again.outcome, record.outcome);
  EXPECT_EQ(again.time, record.time);
  EXPECT_EQ(again.generation, 7U);
  EXPECT_EQ(again.lost, 3U);
  for (size_t i = 0; i < kTexts; ++i) {
    EXPECT_EQ(again.text(static_cast<Text>(i)), record.text(static_cast<Text>(i)));
  }
  EXPECT_TRUE(again.has(Number::kRequestBytes));
  EXPECT_EQ(again.number(Number::kStatus), 429U);
  EXPECT_FALSE(again.has(Number::kResponseBytes));
}

TEST(Record, TextsAreCutAndLeftOutForRoom) {
  Record record;
  const std::string longer(5000, 'x');
  for (size_t i = 0; i < kTexts; ++i) {
    record.set(static_cast<Text>(i), longer);
  }
  std::array<char, kPackedBytesMax> buffer;
  const std::string_view packed = pack(record, buffer);
  EXPECT_LE(packed.size(), kPackedBytesMax);
  const Record again = unpack(packed);
  EXPECT_EQ(again.text(Text::kRequestId).size(), 256U);
  EXPECT_EQ(again.text(Text::kDetail), "");
}

TEST(Record, EveryEventAndKeyHasAName) {
  for (size_t i = 0; i < static_cast<size_t>(Event::kCount); ++i) {
    EXPECT_NE(to_string(static_cast<Event>(i)), "") << i;
  }
  for (size_t i = 0; i < kTexts; ++i) {
    EXPECT_NE(key_of(static_cast<Text>(i)), "") << i;
  }
  for (size_t i = 0; i < kNumbers; ++i) {
    EXPECT_NE(key_of(static_cast<Number>(i)), "") << i;
  }
  EXPECT_EQ(key_of(Text::kDetail), "detail");
  EXPECT_EQ(key_of(Number::kFirstByte), "ttfb_ms");
  EXPECT_EQ(to_string(Event::kCheckpoint), "log.checkpoint");
}

}  // namespace
}  // namespace hangu::audit
