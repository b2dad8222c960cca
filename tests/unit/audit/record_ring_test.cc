#include "hangu/audit/record_ring.h"

#include <string>
#include <thread>

#include <gtest/gtest.h>

namespace hangu::audit {
namespace {

std::string take_all(RecordRing& ring) {
  iovec pieces[2];
  std::string text;
  const size_t count = ring.peek(pieces);
  for (size_t i = 0; i < count; ++i) {
    text.append(static_cast<const char*>(pieces[i].iov_base), pieces[i].iov_len);
  }
  ring.consume(text.size());
  return text;
}

TEST(RecordRing, GivesBackWhatItTook) {
  RecordRing ring(4096);
  EXPECT_EQ(take_all(ring), "");
  EXPECT_TRUE(ring.append("one\n"));
  EXPECT_TRUE(ring.append("two\n"));
  EXPECT_EQ(ring.held(), 8U);
  EXPECT_EQ(take_all(ring), "one\ntwo\n");
  EXPECT_EQ(ring.held(), 0U);
}

TEST(RecordRing, ARecordGoesInWholeOrNotAtAll) {
  RecordRing ring(4096);
  const std::string most(4090, 'a');
  EXPECT_TRUE(ring.append(most));
  EXPECT_FALSE(ring.append("1234567"));
  EXPECT_EQ(ring.dropped(), 1U);
  EXPECT_TRUE(ring.append("123456"));  // to the last byte
  EXPECT_EQ(ring.held(), ring.capacity());
  EXPECT_FALSE(ring.append("x"));
  EXPECT_EQ(ring.dropped(), 2U);
  EXPECT_EQ(take_all(ring), most + "123456");
  EXPECT_FALSE(ring.append(std::string(4097, 'b')));
}

TEST(RecordRing, WrapsAround) {
  RecordRing ring(4096);
  for (int i = 0; i < 100; ++i) {
    const std::string record(1500, static_cast<char>('a' + i % 26));
    ASSERT_TRUE(ring.append(record));
    ASSERT_TRUE(ring.append("|"));
    ASSERT_EQ(take_all(ring), record + "|");
  }
}

TEST(RecordRing, CarriesRecordsBetweenThreads) {
  constexpr int kRecords = 20'000;
  RecordRing ring(4096);
  std::thread producer([&] {
    for (int i = 0; i < kRecords; ++i) {
      while (!ring.append(std::to_string(i) + '\n')) {
        std::this_thread::yield();
      }
    }
  });
  std::string text;
  std::string expected;
  for (int i = 0; i < kRecords; ++i) {
    expected += std::to_string(i) + '\n';
  }
  while (text.size() < expected.size()) {
    text += take_all(ring);
  }
  producer.join();
  EXPECT_TRUE(text == expected);
}

}  // namespace
}  // namespace hangu::audit
