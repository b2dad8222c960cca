// Connection::splice_to: bytes that go from socket to socket past our memory.
#include <algorithm>
#include <string>

#include <gtest/gtest.h>

#include "tests/unit/net/net_fixture.h"

namespace hangu::net {
namespace {

using std::chrono::milliseconds;

/// Two connections of ours, `from_` and `to_`, and the peers behind them.
class SpliceTest : public NetTest {
 protected:
  void connect(std::pair<int, int> from, std::pair<int, int> to) {
    from_peer_ = adopt(from_, from);
    to_peer_ = adopt(to_, to);
    turns(2);
  }

  void SetUp() override {
    NetTest::SetUp();
    if (loop_ != nullptr) {
      connect(tcp_pair(), tcp_pair());
    }
  }

  void TearDown() override {
    from_.connection.reset();
    to_.connection.reset();
    if (loop_ != nullptr) {
      EXPECT_TRUE(pump([&] { return loop_->open_sockets() == 0; }));
    }
    NetTest::TearDown();
  }

  void splice(uint64_t bytes) { from_.connection->splice_to(*to_.connection, bytes); }

  /// Feeds the one peer and reads at the other until `wanted` bytes came out.
  std::string carry(std::string_view input, size_t wanted) {
    std::string output;
    EXPECT_TRUE(pump([&] {
      const ssize_t sent = ::send(from_peer_, input.data(), input.size(), MSG_NOSIGNAL);
      input.remove_prefix(static_cast<size_t>(std::max<ssize_t>(sent, 0)));
      output += read_some(to_peer_);
      return output.size() >= wanted;
    }));
    return output;
  }

  Probe from_;
  Probe to_;
  int from_peer_ = -1;
  int to_peer_ = -1;
};

TEST_P(SpliceTest, CarriesBytesWithoutReceivingThem) {
  const std::string text = pattern(5'000'000);
  splice(text.size());
  EXPECT_EQ(carry(text, text.size()), text);
  EXPECT_EQ(from_.spliced, text.size());
  EXPECT_EQ(from_.bytes, 0U);
  EXPECT_EQ(from_.connection->bytes_received(), text.size());
  EXPECT_EQ(to_.connection->bytes_sent(), text.size());
  EXPECT_EQ(loop_->stats().spliced_bytes, text.size());
  EXPECT_TRUE(to_.connection->write_idle());
}

TEST_P(SpliceTest, GoesBehindWhatIsQueued) {
  to_.connection->write_static("head ");
  splice(4);
  EXPECT_EQ(carry("body", 9), "head body");
  to_.connection->write_static(" tail");
  EXPECT_EQ(carry("", 5), " tail");
}

TEST_P(SpliceTest, WhatFollowsIsReceived) {
  splice(100'000);
  const std::string text = pattern(100'000) + "next request";
  EXPECT_EQ(carry(text, 100'000), text.substr(0, 100'000));
  ASSERT_TRUE(pump([&] { return from_.received.size() == 12; }));
  EXPECT_EQ(from_.received, "next request");
  splice(3);
  EXPECT_EQ(carry("abc", 3), "abc");
}

TEST_P(SpliceTest, BytesThatWereReceivedAlreadyAreData) {
  ASSERT_TRUE(send_all(from_peer_, "early"));
  splice(10);
  from_.then_data = [&] {
    to_.connection->write_copy(from_.received);
    splice(10 - from_.received.size());
  };
  EXPECT_EQ(carry("later", 10), "earlylater");
  EXPECT_EQ(from_.received.size() + from_.spliced, 10U);
}

TEST_P(SpliceTest, OverUnixSockets) {
  from_.connection.reset();
  to_.connection.reset();
  connect(unix_pair(), unix_pair());
  const std::string text = pattern(1'000'000);
  splice(text.size());
  EXPECT_EQ(carry(text, text.size()), text);
  EXPECT_EQ(from_.spliced, text.size());
}

TEST_P(SpliceTest, SlowReaderHoldsLittle) {
  const std::string text = pattern(32 << 20);
  splice(text.size());
  size_t sent = 0;
  size_t still = 0;
  while (still < 20) {  // until the kernel takes no more
    const ssize_t part = ::send(from_peer_, text.data() + sent, text.size() - sent, MSG_NOSIGNAL);
    still = part > 0 ? 0 : still + 1;
    sent += static_cast<size_t>(std::max<ssize_t>(part, 0));
    turns(1);
  }
  EXPECT_LT(sent, text.size());
  EXPECT_LE(to_.connection->queued_bytes(), 256U * 1024);
  EXPECT_FALSE(to_.connection->write_idle());
  std::string_view rest = text;
  rest.remove_prefix(sent);
  EXPECT_EQ(carry(rest, text.size()), text);
}

TEST_P(SpliceTest, PausesWithReading) {
  splice(1'000'000);
  EXPECT_EQ(carry("abc", 3), "abc");
  from_.connection->pause_reading();
  ASSERT_TRUE(send_all(from_peer_, "defg"));
  turns(5);
  EXPECT_EQ(read_some(to_peer_), "");
  from_.connection->resume_reading();
  EXPECT_EQ(carry("", 4), "defg");
}

TEST_P(SpliceTest, BytesHeldWhilePausedGoFirst) {
  ASSERT_TRUE(send_all(from_peer_, "early"));
  splice(10);
  from_.connection->pause_reading();
  from_.then_data = [&] {
    to_.connection->write_copy(from_.received);
    splice(10 - from_.received.size());
  };
  turns(5);
  from_.connection->resume_reading();
  EXPECT_EQ(carry("later", 10), "earlylater");
  EXPECT_EQ(from_.received.size() + from_.spliced, 10U);
}

TEST_P(SpliceTest, FinOfTheSourceIsAnEnd) {
  splice(10);
  ASSERT_TRUE(send_all(from_peer_, "abc"));
  ::shutdown(from_peer_, SHUT_WR);
  ASSERT_TRUE(pump([&] { return from_.ends == 1; }));
  EXPECT_EQ(from_.spliced, 3U);
  EXPECT_EQ(carry("", 3), "abc");
  turns(5);
  EXPECT_EQ(from_.ends, 1);
  EXPECT_EQ(from_.errors, 0);
}

TEST_P(SpliceTest, ResetOfTheSourceIsAnError) {
  splice(10);
  turns(3);
  const linger option{.l_onoff = 1, .l_linger = 0};
  setsockopt(from_peer_, SOL_SOCKET, SO_LINGER, &option, sizeof option);
  close_peer(from_peer_);
  ASSERT_TRUE(pump([&] { return from_.errors == 1; }));
  EXPECT_EQ(from_.error_number, ECONNRESET);
}

TEST_P(SpliceTest, TheRestIsReceivedWhenTheTargetIsClosed) {
  splice(1'000'000);
  EXPECT_EQ(carry("abc", 3), "abc");
  to_.connection.reset();
  ASSERT_TRUE(send_all(from_peer_, "rest"));
  ASSERT_TRUE(pump([&] { return from_.received == "rest"; }));
  EXPECT_EQ(from_.spliced, 3U);
}

TEST_P(SpliceTest, TheRestIsReceivedWhenTheTargetBreaks) {
  splice(64 << 20);
  const std::string text = pattern(1 << 20);
  ASSERT_FALSE(carry(text, 1000).empty());
  close_peer(to_peer_);  // with unread bytes: a reset
  ASSERT_TRUE(pump([&] {
    ::send(from_peer_, text.data(), text.size(), MSG_NOSIGNAL);
    return from_.bytes != 0;
  }));
  ASSERT_TRUE(pump([&] { return to_.errors == 1; }));
}

TEST_P(SpliceTest, ASourceThatIsClosedLeavesTheTargetItsBytes) {
  splice(1'000'000);
  ASSERT_TRUE(send_all(from_peer_, "abc"));
  from_.then_spliced = [&] { from_.connection.reset(); };
  EXPECT_EQ(carry("", 3), "abc");
  to_.connection->write_static("more");
  EXPECT_EQ(carry("", 4), "more");
}

TEST_P(SpliceTest, LetGoOfTheTargetWithBytesInThePipe) {
  const std::string text = pattern(300'000);
  from_.then_spliced = [&] {
    if (from_.spliced == text.size()) {
      close_after_flush(std::move(to_.connection), false);
    }
  };
  splice(text.size());
  EXPECT_EQ(carry(text, text.size()), text);
  ASSERT_TRUE(pump([&] { return read_some(to_peer_).empty() && peer_end_ == 0; }));
}

TEST_P(SpliceTest, WithoutPipesTheBytesAreData) {
  loop_->pipes().disable();
  splice(1'000'000);
  ASSERT_TRUE(send_all(from_peer_, "abc"));
  ASSERT_TRUE(pump([&] { return from_.received == "abc"; }));
  EXPECT_EQ(from_.spliced, 0U);
}

INSTANTIATE_TEST_SUITE_P(Backends, SpliceTest, both_backends(), backend_of);

}  // namespace
}  // namespace hangu::net
