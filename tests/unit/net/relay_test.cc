// Relay: two connections whose bytes go to each other.
#include "hangu/net/relay.h"

#include <string>

#include <gtest/gtest.h>

#include "tests/unit/net/net_fixture.h"

namespace hangu::net {
namespace {

using std::chrono::milliseconds;

/// A relay of ours between two peers, and what it tells.
class RelayTest : public NetTest, public RelayHandler {
 protected:
  void TearDown() override {
    relay_.reset();
    if (loop_ != nullptr) {
      EXPECT_TRUE(pump([&] { return loop_->open_sockets() == 0; }));
    }
    NetTest::TearDown();
  }

  RelayEnd end_of(std::pair<int, int> pair, int& peer) {
    peer = pair.second;
    RelayEnd end{.connection = Connection::adopt(*loop_, small_blocks_, pair.first)};
    end.connection->set_watermarks(64 * 1024, 16 * 1024);
    return end;
  }

  void begin(const RelayLimits& limits = {}) {
    relay_ = std::make_unique<Relay>(*loop_, *this, limits);
    RelayEnd client = end_of(tcp_pair(), client_);
    relay_->begin(std::move(client), end_of(tcp_pair(), server_));
  }

  void on_relayed_to_client(size_t bytes) noexcept override { relayed_ += bytes; }

  void on_relay_end(RelayOutcome outcome, const Error& error) noexcept override {
    ++ends_;
    outcome_ = outcome;
    error_ = error.sys_errno;
  }

  /// Feeds one peer and reads at the other until all came out.
  void carry(int from, int to, std::string_view input) {
    const std::string_view all = input;
    std::string output;
    ASSERT_TRUE(pump([&] {
      const ssize_t sent = ::send(from, input.data(), input.size(), MSG_NOSIGNAL);
      input.remove_prefix(static_cast<size_t>(std::max<ssize_t>(sent, 0)));
      output += read_some(to);
      return output.size() >= all.size();
    }));
    EXPECT_EQ(output, all);
  }

  bool ends_at(int peer) {
    return pump([&] {
      read_some(peer);
      return peer_end_ != -1;
    });
  }

  /// Sends until the kernel and the relay take no more; how much that was.
  size_t fill(int from, std::string_view text) {
    size_t sent = 0;
    for (int still = 0; still < 20; turns(1)) {
      const ssize_t part = ::send(from, text.data() + sent, text.size() - sent, MSG_NOSIGNAL);
      still = part > 0 ? 0 : still + 1;
      sent += static_cast<size_t>(std::max<ssize_t>(part, 0));
    }
    return sent;
  }

  std::unique_ptr<Relay> relay_;
  int client_ = -1;
  int server_ = -1;
  size_t relayed_ = 0;
  int ends_ = 0;
  int error_ = 0;
  RelayOutcome outcome_ = RelayOutcome::kDone;
};

TEST_P(RelayTest, CarriesBothWays) {
  begin();
  const std::string text = pattern(3'000'000);
  carry(client_, server_, text);
  carry(server_, client_, "short");
  carry(server_, client_, text);
  EXPECT_EQ(relay_->bytes_from_client(), text.size());
  EXPECT_EQ(relay_->bytes_to_client(), text.size() + 5);
  EXPECT_EQ(relay_->sent_bytes(), text.size() + 5);
  EXPECT_EQ(relayed_, text.size() + 5);
  EXPECT_EQ(ends_, 0);
}

TEST_P(RelayTest, WhatWasReceivedBeforeGoesFirst) {
  relay_ = std::make_unique<Relay>(*loop_, *this, RelayLimits{});
  RelayEnd client = end_of(tcp_pair(), client_);
  RelayEnd server = end_of(tcp_pair(), server_);
  client.received = {{}, "asked ", 6};
  server.received = {{}, "told ", 5};
  ASSERT_TRUE(send_all(client_, "more"));
  ASSERT_TRUE(send_all(server_, "more"));
  relay_->begin(std::move(client), std::move(server));
  carry(client_, server_, "");
  std::string asked;
  std::string told;
  EXPECT_TRUE(pump([&] {
    asked += read_some(server_);
    told += read_some(client_);
    return asked.size() == 10 && told.size() == 9;
  }));
  EXPECT_EQ(asked, "asked more");
  EXPECT_EQ(told, "told more");
}

TEST_P(RelayTest, HalfCloseOfTheClient) {
  begin();
  ASSERT_TRUE(send_all(client_, "last"));
  ::shutdown(client_, SHUT_WR);
  std::string got;
  EXPECT_TRUE(pump([&] {
    got += read_some(server_);
    return peer_end_ == 0;
  }));
  EXPECT_EQ(got, "last");
  EXPECT_TRUE(relay_->client_ended());
  carry(server_, client_, pattern(500'000));
  EXPECT_EQ(ends_, 0);
  peer_end_ = -1;
  ::shutdown(server_, SHUT_WR);
  EXPECT_TRUE(ends_at(client_));
  EXPECT_EQ(peer_end_, 0);
  EXPECT_EQ(ends_, 1);
  EXPECT_EQ(outcome_, RelayOutcome::kDone);
}

TEST_P(RelayTest, HalfCloseOfTheServer) {
  begin();
  ASSERT_TRUE(send_all(server_, "bye"));
  ::shutdown(server_, SHUT_WR);
  EXPECT_TRUE(ends_at(client_));
  EXPECT_EQ(peer_end_, 0);
  carry(client_, server_, "late");
  peer_end_ = -1;
  ::shutdown(client_, SHUT_WR);
  EXPECT_TRUE(ends_at(server_));
  EXPECT_EQ(ends_, 1);
  EXPECT_EQ(outcome_, RelayOutcome::kDone);
}

TEST_P(RelayTest, LastBytesLeaveBehindTheEnd) {
  begin();
  const std::string text = pattern(8'000'000);
  const size_t sent = fill(server_, text);  // the client does not read yet
  ::shutdown(client_, SHUT_WR);
  ::shutdown(server_, SHUT_WR);
  std::string got;
  EXPECT_TRUE(pump([&] {
    got += read_some(client_);
    return peer_end_ != -1;
  }));
  EXPECT_EQ(got, text.substr(0, sent));
  EXPECT_EQ(peer_end_, 0);
  EXPECT_EQ(outcome_, RelayOutcome::kDone);
}

TEST_P(RelayTest, SlowReaderHoldsLittle) {
  begin();
  const std::string text = pattern(32 << 20);
  for (const auto& way : {std::pair(server_, client_), {client_, server_}}) {
    const size_t sent = fill(way.first, text);
    EXPECT_LT(sent, text.size());
    EXPECT_LE(relay_->held_bytes(), 64U * 1024 + 2 * 64U * 1024);
    std::string got;
    EXPECT_TRUE(pump([&] {
      got += read_some(way.second);
      return got.size() == sent;
    }));
    EXPECT_EQ(got, text.substr(0, sent));
  }
  EXPECT_EQ(ends_, 0);
}

TEST_P(RelayTest, HoldsNoBlockWhileItRests) {
  begin();
  carry(client_, server_, pattern(1'000'000));
  carry(server_, client_, pattern(1'000'000));
  turns(3);
  EXPECT_EQ(small_blocks_.in_use(), 0U);
  if (GetParam() == event::BackendKind::kEpoll) {
    EXPECT_LE(receive_blocks_.in_use(), 1U);  // the loop's own; io_uring's number varies
  }
}

TEST_P(RelayTest, ClientThatBreaks) {
  begin();
  carry(client_, server_, "hello");
  const linger option{.l_onoff = 1, .l_linger = 0};
  setsockopt(client_, SOL_SOCKET, SO_LINGER, &option, sizeof option);
  close_peer(client_);
  EXPECT_TRUE(ends_at(server_));
  EXPECT_EQ(ends_, 1);
  EXPECT_EQ(outcome_, RelayOutcome::kClientBroke);
  EXPECT_EQ(error_, ECONNRESET);
  EXPECT_EQ(relay_->held_bytes(), 0U);
}

TEST_P(RelayTest, ServerThatBreaks) {
  begin();
  carry(server_, client_, "hello");
  const linger option{.l_onoff = 1, .l_linger = 0};
  setsockopt(server_, SOL_SOCKET, SO_LINGER, &option, sizeof option);
  close_peer(server_);
  EXPECT_TRUE(ends_at(client_));
  EXPECT_EQ(peer_end_, 0);
  EXPECT_EQ(ends_, 1);
  EXPECT_EQ(outcome_, RelayOutcome::kServerBroke);
}

TEST_P(RelayTest, EndsWhenNothingMoves) {
  begin({.idle = milliseconds(60), .write_idle = milliseconds(20)});
  const TimePoint begun = std::chrono::steady_clock::now();
  while (std::chrono::steady_clock::now() - begun < milliseconds(150)) {
    carry(client_, server_, "x");
    carry(server_, client_, "x");
  }
  EXPECT_EQ(ends_, 0);
  EXPECT_TRUE(ends_at(client_));
  EXPECT_EQ(peer_end_, 0);
  EXPECT_EQ(outcome_, RelayOutcome::kIdle);
  EXPECT_GE(std::chrono::steady_clock::now() - begun, milliseconds(200));
}

TEST_P(RelayTest, EndsWhenTheClientTakesNothing) {
  begin({.write_idle = milliseconds(50)});
  carry(server_, client_, "x");
  turns(100);
  EXPECT_EQ(ends_, 0);  // nothing waits for it
  const std::string text = pattern(32 << 20);
  const TimePoint begun = std::chrono::steady_clock::now();
  fill(server_, text);
  EXPECT_TRUE(pump([&] { return ends_ == 1; }));
  EXPECT_EQ(outcome_, RelayOutcome::kStuck);
  EXPECT_GE(std::chrono::steady_clock::now() - begun, milliseconds(50));
}

TEST_P(RelayTest, CloseIsSilent) {
  begin({.idle = milliseconds(200)});
  carry(client_, server_, "x");
  relay_->close();
  EXPECT_TRUE(ends_at(client_));
  const TimePoint idle = std::chrono::steady_clock::now() + milliseconds(250);
  pump([&] { return std::chrono::steady_clock::now() > idle; });
  EXPECT_EQ(ends_, 0);
}

INSTANTIATE_TEST_SUITE_P(Backends, RelayTest, both_backends(), backend_of);

}  // namespace
}  // namespace hangu::net
