#include "hangu/net/connection.h"

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/unit/net/net_fixture.h"

namespace hangu::net {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// Bytes that differ by position, so that any shift shows.
std::string pattern(size_t size) {
  std::string text(size, '\0');
  uint32_t state = 1;
  for (char& byte : text) {
    state = state * 1664525 + 1013904223;
    byte = static_cast<char>(state >> 24);
  }
  return text;
}

class ConnectionTest : public NetTest {};

TEST_P(ConnectionTest, IsSmall) {
  EXPECT_LE(sizeof(Connection), 400U);
}

TEST_P(ConnectionTest, Echoes) {
  Probe probe;
  const int peer = adopt(probe, tcp_pair());
  probe.then_data = [&] {
    probe.connection->write_copy(probe.received);
    probe.received.clear();
  };
  std::string answer;
  for (const char* text : {"one ", "two ", "three"}) {
    ASSERT_TRUE(send_all(peer, text));
    const size_t size = answer.size() + std::string_view(text).size();
    ASSERT_TRUE(pump([&] {
      answer += read_some(peer);
      return answer.size() == size;
    }));
  }
  EXPECT_EQ(answer, "one two three");
  EXPECT_EQ(probe.connection->bytes_received(), 13U);
  EXPECT_EQ(probe.connection->bytes_sent(), 13U);
  EXPECT_TRUE(probe.connection->write_idle());
  EXPECT_EQ(probe.flushes, 3);
}

TEST_P(ConnectionTest, WhatATurnWritesLeavesInOneSend) {
  Probe probe;
  const int peer = adopt(probe, tcp_pair());
  turns(1);
  const uint64_t before = loop_->stats().sends;
  for (int i = 0; i < 50; ++i) {
    probe.connection->write_copy("piece ");
    probe.connection->write_static("static ");
  }
  EXPECT_EQ(read_some(peer), "");  // nothing before the end of the turn
  ASSERT_TRUE(pump([&] { return probe.flushes == 1; }));
  EXPECT_EQ(loop_->stats().sends - before, 1U);
  EXPECT_EQ(read_some(peer).size(), 50 * 13U);
}

TEST_P(ConnectionTest, ConnectsWritesAndReads) {
  const int listener = *listen_on(*Address::parse("127.0.0.1:0"), {});
  peers_.push_back(listener);
  Probe probe;
  probe.connection = Connection::connect(*loop_, small_blocks_, local_address(listener), probe);
  ASSERT_NE(probe.connection, nullptr);
  probe.connection->write_copy("early");
  EXPECT_EQ(probe.connects, 0);
  ASSERT_TRUE(pump([&] { return probe.connects == 1; }));
  EXPECT_EQ(probe.connect_error, 0);
  const int peer = accept(listener, nullptr, nullptr);
  ASSERT_GE(peer, 0);
  peers_.push_back(peer);
  ASSERT_TRUE(pump([&] { return read_some(peer) == "early"; }));
  ASSERT_TRUE(send_all(peer, "answer"));
  ASSERT_TRUE(pump([&] { return probe.received == "answer"; }));
  EXPECT_EQ(probe.connection->peer_address(), local_address(listener));
  int no_delay = 0;
  socklen_t size = sizeof no_delay;
  getsockopt(probe.connection->fd(), IPPROTO_TCP, TCP_NODELAY, &no_delay, &size);
  EXPECT_NE(no_delay, 0);
}

TEST_P(ConnectionTest, ConnectRefused) {
  const int listener = *listen_on(*Address::parse("127.0.0.1:0"), {});
  const Address address = local_address(listener);
  ::close(listener);
  Probe probe;
  probe.connection = Connection::connect(*loop_, small_blocks_, address, probe);
  probe.connection->write_copy("lost");
  ASSERT_TRUE(pump([&] { return probe.connects == 1; }));
  EXPECT_EQ(probe.connect_error, ECONNREFUSED);
  EXPECT_EQ(probe.errors, 0);
  probe.connection.reset();
  ASSERT_TRUE(pump([&] { return loop_->open_sockets() == 0; }));
}

TEST_P(ConnectionTest, ConnectToAMissingUnixSocket) {
  Probe probe;
  const Address address = *Address::parse("unix:/nonexistent/hangu.sock");
  probe.connection = Connection::connect(*loop_, small_blocks_, address, probe);
  EXPECT_EQ(probe.connects, 0);
  ASSERT_TRUE(pump([&] { return probe.connects == 1; }));
  EXPECT_EQ(probe.connect_error, ENOENT);
}

TEST_P(ConnectionTest, LetGoWhileConnecting) {
  Probe probe;
  // Discard prefix: nobody answers, or the network is unreachable at once; both must end well.
  const Address address = Address::from_ip(std::string_view("\xc0\x00\x02\x01", 4), 9);
  probe.connection = Connection::connect(*loop_, small_blocks_, address, probe);
  loop_->turn(Duration::zero());
  probe.connection.reset();
  const int connects = probe.connects;
  ASSERT_TRUE(pump([&] { return loop_->open_sockets() == 0; }));
  EXPECT_EQ(probe.connects, connects);
}

TEST_P(ConnectionTest, TransfersMuchToASlowReaderWithABoundedQueue) {
  Probe probe;
  const int peer = adopt(probe, tcp_pair());
  const std::string much = pattern(8 * 1024 * 1024);
  size_t written = 0;
  size_t queued_max = 0;
  const auto produce = [&] {
    while (!probe.connection->congested() && written < much.size()) {
      const size_t part = std::min<size_t>(much.size() - written, 60'000);
      if (buffer::BlockRef block = receive_blocks_.acquire()) {
        std::copy_n(much.data() + written, part, block->data());
        const char* data = block->data();
        probe.connection->write(buffer::Slice{std::move(block), data, static_cast<uint32_t>(part)});
        written += part;
      }
    }
    queued_max = std::max(queued_max, probe.connection->queued_bytes());
  };
  probe.then_writable = produce;
  produce();
  turns(20);
  EXPECT_LT(written, much.size());  // nobody reads: it must have stopped
  std::string got;
  ASSERT_TRUE(pump([&] {
    got += read_some(peer, 30'000);
    return got.size() == much.size();
  }));
  EXPECT_TRUE(got == much);
  EXPECT_LE(queued_max, 256 * 1024 + 60'000U);
  EXPECT_GE(probe.writables, 2);
  EXPECT_EQ(probe.connection->bytes_sent(), much.size());
}

TEST_P(ConnectionTest, ForwardsMuchWithBackPressure) {
  Probe from;
  Probe to;
  const int source = adopt(from, tcp_pair());
  const int sink = adopt(to, tcp_pair());
  from.keep = true;
  size_t queued_max = 0;
  from.then_data = [&] {
    to.connection->write(std::move(from.kept.back()));
    from.kept.pop_back();
    from.received.clear();
    queued_max = std::max(queued_max, to.connection->queued_bytes());
    if (to.connection->congested()) {
      from.connection->pause_reading();
    }
  };
  to.then_writable = [&] { from.connection->resume_reading(); };
  const std::string much = pattern(8 * 1024 * 1024);
  size_t sent = 0;
  std::string got;
  ASSERT_TRUE(pump([&] {
    const ssize_t more = ::send(source, much.data() + sent, much.size() - sent, MSG_NOSIGNAL);
    sent += static_cast<size_t>(std::max<ssize_t>(more, 0));
    got += read_some(sink, 100'000);
    return got.size() == much.size();
  }));
  EXPECT_TRUE(got == much);
  EXPECT_LE(queued_max, 6U * 1024 * 1024);
}

TEST_P(ConnectionTest, PausedBytesComeInOrder) {
  Probe probe;
  const int peer = adopt(probe, unix_pair());
  std::string expected;
  probe.then_data = [&] {
    if (probe.bytes % 3 == 0) {
      probe.connection->pause_reading();
    }
  };
  for (int i = 0; i < 500; ++i) {
    const std::string piece = "<" + std::to_string(i) + ">";
    expected += piece;
    ASSERT_TRUE(send_all(peer, piece));
    loop_->turn(Duration::zero());
    if (i % 7 == 0) {
      probe.connection->resume_reading();
      probe.connection->resume_reading();
    } else if (i % 5 == 0) {
      probe.connection->pause_reading();
      probe.connection->pause_reading();
    }
  }
  ASSERT_TRUE(pump([&] {
    probe.connection->resume_reading();
    return probe.received.size() >= expected.size();
  }));
  EXPECT_EQ(probe.received, expected);
}

TEST_P(ConnectionTest, NothingIsDeliveredWhilePaused) {
  Probe probe;
  const int peer = adopt(probe, unix_pair());
  turns(1);
  probe.connection->pause_reading();
  ASSERT_TRUE(send_all(peer, "held"));
  shutdown(peer, SHUT_WR);
  turns(5);
  EXPECT_EQ(probe.received, "");
  EXPECT_EQ(probe.ends, 0);
  probe.connection->resume_reading();
  EXPECT_EQ(probe.received, "");  // not from within the call
  ASSERT_TRUE(pump([&] { return probe.ends == 1; }));
  EXPECT_EQ(probe.received, "held");
  EXPECT_EQ(probe.errors, 0);
}

TEST_P(ConnectionTest, HalfCloseBothWays) {
  Probe probe;
  const int peer = adopt(probe, tcp_pair());
  ASSERT_TRUE(send_all(peer, "request"));
  shutdown(peer, SHUT_WR);
  ASSERT_TRUE(pump([&] { return probe.ends == 1; }));
  EXPECT_EQ(probe.received, "request");
  probe.connection->write_copy("response");
  probe.connection->shutdown_write();
  probe.connection->write_copy("dropped");
  std::string answer;
  ASSERT_TRUE(pump([&] {
    answer += read_some(peer);
    return peer_end_ == 0;
  }));
  EXPECT_EQ(answer, "response");
  EXPECT_EQ(probe.errors, 0);
}

TEST_P(ConnectionTest, ShutdownWaitsForTheQueue) {
  Probe probe;
  const int peer = adopt(probe, tcp_pair());
  const std::string much = pattern(6 * 1024 * 1024);
  probe.connection->write_copy(much);
  probe.connection->shutdown_write();
  std::string got;
  ASSERT_TRUE(pump([&] {
    got += read_some(peer);
    return peer_end_ == 0;
  }));
  EXPECT_TRUE(got == much);
}

TEST_P(ConnectionTest, CloseWithASendInFlight) {
  Probe probe;
  const int peer = adopt(probe, tcp_pair());
  probe.connection->write_copy(pattern(8 * 1024 * 1024));
  turns(3);
  EXPECT_FALSE(probe.connection->write_idle());
  probe.connection.reset();
  ASSERT_TRUE(pump([&] { return loop_->open_sockets() == 0; }));
  EXPECT_EQ(small_blocks_.in_use(), 0U);
  EXPECT_EQ(probe.errors + probe.ends, 0);
  size_t got = 0;
  while (peer_end_ < 0) {
    got += read_some(peer).size();
  }
  EXPECT_LT(got, 8U * 1024 * 1024);
}

TEST_P(ConnectionTest, NoCallComesAfterLettingGo) {
  Probe probe;
  const int peer = adopt(probe, unix_pair());
  ASSERT_TRUE(send_all(peer, "bytes"));
  probe.connection->write_copy("bytes");
  probe.connection.reset();
  close_peer(peer);
  ASSERT_TRUE(pump([&] { return loop_->open_sockets() == 0; }));
  EXPECT_EQ(probe.bytes + static_cast<size_t>(probe.ends + probe.errors + probe.flushes), 0U);
}

TEST_P(ConnectionTest, MayBeLetGoInAnyCallback) {
  for (int which = 0; which < 5; ++which) {
    Probe probe;
    const auto pair = tcp_pair();
    const int peer = adopt(probe, pair);
    probe.connection->set_watermarks(1000, 500);
    bool gone = false;
    const auto let_go = [&] {
      EXPECT_FALSE(gone);
      gone = true;
      probe.connection.reset();
    };
    switch (which) {
      case 0: probe.then_data = let_go; break;
      case 1: probe.then_end = let_go; break;
      case 2: probe.then_flushed = let_go; break;
      case 3: probe.then_writable = let_go; break;
      case 4:
        probe.then_error = let_go;
        probe.then_end = let_go;
        break;
      default: break;
    }
    probe.connection->write_copy(std::string(5000, 'w'));
    ASSERT_TRUE(send_all(peer, "data"));
    if (which == 4) {
      const linger option{.l_onoff = 1, .l_linger = 0};
      setsockopt(peer, SOL_SOCKET, SO_LINGER, &option, sizeof option);
      close_peer(peer);
    } else {
      shutdown(peer, SHUT_WR);
    }
    ASSERT_TRUE(pump([&] { return gone && loop_->open_sockets() == 0; })) << which;
  }
}

TEST_P(ConnectionTest, MayBeLetGoWhileHeldBytesAreDelivered) {
  Probe probe;
  const int peer = adopt(probe, unix_pair());
  probe.then_data = [&] { probe.connection->pause_reading(); };
  for (int i = 0; i < 4; ++i) {
    ASSERT_TRUE(send_all(peer, "x"));
    loop_->turn(Duration::zero());
  }
  turns(3);
  EXPECT_EQ(probe.bytes, 1U);
  probe.then_data = [&] { probe.connection.reset(); };
  probe.connection->resume_reading();
  ASSERT_TRUE(pump([&] { return loop_->open_sockets() == 0; }));
  EXPECT_GE(probe.bytes, 2U);
}

TEST_P(ConnectionTest, APeersResetIsAnError) {
  Probe probe;
  const int peer = adopt(probe, tcp_pair());
  ASSERT_TRUE(send_all(peer, "last words"));
  const linger option{.l_onoff = 1, .l_linger = 0};
  setsockopt(peer, SOL_SOCKET, SO_LINGER, &option, sizeof option);
  close_peer(peer);
  ASSERT_TRUE(pump([&] { return probe.errors == 1; }));
  EXPECT_EQ(probe.error_number, ECONNRESET);
  EXPECT_EQ(probe.received, "last words");
  EXPECT_EQ(probe.ends, 0);
  probe.connection->write_copy("dropped");
  turns(3);
  EXPECT_EQ(probe.errors, 1);
  EXPECT_EQ(probe.connection->queued_bytes(), 0U);
}

TEST_P(ConnectionTest, ResetWhileSendingIsAnErrorNotAnEnd) {
  Probe probe;
  const int peer = adopt(probe, tcp_pair());
  probe.connection->write_copy(pattern(8 * 1024 * 1024));
  turns(3);
  const linger option{.l_onoff = 1, .l_linger = 0};
  setsockopt(peer, SOL_SOCKET, SO_LINGER, &option, sizeof option);
  close_peer(peer);
  ASSERT_TRUE(pump([&] { return probe.errors == 1; }));
  EXPECT_EQ(probe.ends, 0);
  ASSERT_TRUE(pump([&] { return small_blocks_.in_use() == 0; }));
}

TEST_P(ConnectionTest, AnEarlyAnswerIsReadAlthoughSendingFails) {
  Probe probe;
  const int peer = adopt(probe, tcp_pair());
  probe.connection->write_copy(pattern(8 * 1024 * 1024));
  turns(3);
  // The peer answers without reading the rest and closes: our next bytes are answered with a reset.
  ASSERT_TRUE(send_all(peer, "413 too large"));
  shutdown(peer, SHUT_WR);
  close_peer(peer);
  ASSERT_TRUE(pump([&] { return probe.errors + probe.ends > 0; }));
  EXPECT_EQ(probe.received, "413 too large");
}

TEST_P(ConnectionTest, ResetSendsAReset) {
  Probe probe;
  const int peer = adopt(probe, tcp_pair());
  turns(1);
  probe.connection->reset();
  probe.connection.reset();
  ASSERT_TRUE(pump([&] {
    read_some(peer);
    return peer_end_ >= 0;
  }));
  EXPECT_EQ(peer_end_, ECONNRESET);
}

TEST_P(ConnectionTest, CloseAfterFlushDeliversEverything) {
  for (const bool linger : {false, true}) {
    Probe probe;
    const int peer = adopt(probe, tcp_pair());
    const std::string much = pattern(4 * 1024 * 1024);
    probe.connection->write_copy(much);
    close_after_flush(std::move(probe.connection), linger);
    peer_end_ = -1;
    std::string got;
    ASSERT_TRUE(pump([&] {
      got += read_some(peer);
      return peer_end_ == 0;
    }));
    EXPECT_TRUE(got == much);
    close_peer(peer);
    ASSERT_TRUE(pump([&] { return loop_->open_sockets() == 0; }));
  }
}

TEST_P(ConnectionTest, LingeringSavesTheReply) {
  Probe probe;
  const int peer = adopt(probe, tcp_pair());
  turns(1);
  probe.connection->write_copy("HTTP/1.1 413 Content Too Large\r\n\r\n");
  close_after_flush(std::move(probe.connection), true);
  // The peer, which has not looked at the reply yet, goes on sending its large request.
  const std::string body(64 * 1024, 'b');
  for (int i = 0; i < 20; ++i) {
    ::send(peer, body.data(), body.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    turns(2);
  }
  EXPECT_EQ(loop_->open_sockets(), 1U);
  EXPECT_EQ(read_some(peer), "HTTP/1.1 413 Content Too Large\r\n\r\n");
  read_some(peer);
  EXPECT_EQ(peer_end_, 0);
  close_peer(peer);
  ASSERT_TRUE(pump([&] { return loop_->open_sockets() == 0; }, seconds(3)));
}

TEST_P(ConnectionTest, LingeringEndsByItself) {
  Probe probe;
  adopt(probe, tcp_pair());
  turns(1);
  close_after_flush(std::move(probe.connection), true);
  const TimePoint begin = std::chrono::steady_clock::now();
  ASSERT_TRUE(pump([&] { return loop_->open_sockets() == 0; }, seconds(5)));
  EXPECT_GE(std::chrono::steady_clock::now() - begin, milliseconds(900));
}

TEST_P(ConnectionTest, AnEndingConnectionKeepsTheLoopUntilItIsDone) {
  Probe probe;
  const int peer = adopt(probe, tcp_pair());
  turns(1);
  probe.connection->write_copy("bye");
  close_after_flush(std::move(probe.connection), true);
  close_peer(peer);
  loop_->run_until_idle(seconds(10));
  EXPECT_EQ(loop_->open_sockets(), 0U);
}

TEST_P(ConnectionTest, TheLoopMayEndBeforeAnEndingConnection) {
  Probe probe;
  adopt(probe, tcp_pair());
  probe.connection->write_copy(pattern(8 * 1024 * 1024));
  turns(2);
  close_after_flush(std::move(probe.connection), true);
  loop_.reset();  // and nothing leaks: the sanitizer looks
}

TEST_P(ConnectionTest, SendProgressGrowsWithWhatThePeerTakes) {
  Probe probe;
  const int peer = adopt(probe, tcp_pair());
  probe.connection->write_copy(pattern(8 * 1024 * 1024));
  turns(10);
  const uint64_t stuck = probe.connection->send_progress();
  turns(3);
  EXPECT_EQ(probe.connection->send_progress(), stuck);
  ASSERT_TRUE(pump([&] {
    read_some(peer);
    return probe.connection->send_progress() > stuck;
  }));
}

TEST_P(ConnectionTest, ManyConnectionsShareATinyPool) {
  buffer::BlockPool tiny({.block_bytes = 64 * 1024, .blocks_max = 8});
  start(tiny);
  constexpr size_t kConnections = 512;
  constexpr size_t kMessage = 3000;
  std::vector<std::unique_ptr<Probe>> probes;
  std::vector<int> peers;
  for (size_t i = 0; i < kConnections; ++i) {
    probes.push_back(std::make_unique<Probe>());
    Probe& probe = *probes.back();
    peers.push_back(adopt(probe, unix_pair()));
    probe.keep = true;
    probe.then_data = [&probe] {
      probe.connection->write(std::move(probe.kept.back()));
      probe.kept.pop_back();
    };
  }
  turns(2);
  for (int round = 0; round < 3; ++round) {
    const std::string message(kMessage, static_cast<char>('a' + round));
    for (const int peer : peers) {
      ASSERT_TRUE(send_all(peer, message));
    }
    std::vector<size_t> answered(kConnections, 0);
    ASSERT_TRUE(pump([&] {
      for (size_t i = 0; i < kConnections; ++i) {
        const std::string answer = read_some(peers[i], kMessage);
        EXPECT_EQ(answer, message.substr(0, answer.size()));
        answered[i] += answer.size();
      }
      return std::all_of(answered.begin(), answered.end(),
                         [&](size_t bytes) { return bytes == kMessage; });
    }));
  }
  probes.clear();
  loop_.reset();
  EXPECT_EQ(tiny.in_use(), 0U);
}

/// Connections that come, talk, pause, half-close, break and go at random. What arrives must be a
/// prefix of what was sent, and at the end nothing may be left over.
class ChaosTest : public NetTest {
 protected:
  struct Talker {
    Probe probe;
    int peer = -1;
    std::string to_peer, from_peer;  // all that was written
    size_t peer_got = 0;
  };

  size_t random(size_t limit) {
    state_ = state_ * 6364136223846793005U + 1442695040888963407U;
    return static_cast<size_t>(state_ >> 33) % limit;
  }

  void open(Talker& talker) {
    talker.peer = adopt(talker.probe, random(2) == 0 ? tcp_pair() : unix_pair());
    talker.probe.connection->set_watermarks(50'000, 10'000);
    talker.probe.then_data = [this, &talker] {
      if (random(10) == 0) {
        talker.probe.connection->pause_reading();
      } else if (random(40) == 0) {
        talker.probe.connection.reset();
      }
    };
    talker.probe.then_error = [&talker] { talker.probe.connection.reset(); };
  }

  void check_and_end(Talker& talker) {
    EXPECT_EQ(talker.probe.received, talker.from_peer.substr(0, talker.probe.received.size()));
    if (talker.peer >= 0) {
      close_peer(talker.peer);
    }
  }

  void act(Talker& talker) {
    Connection* connection = talker.probe.connection.get();
    const std::string piece(random(8) == 0 ? random(100'000) : random(300),
                            static_cast<char>('a' + random(26)));
    switch (random(12)) {
      case 0:
      case 1:
      case 2:
        if (connection != nullptr && !connection->congested()) {
          connection->write_copy(piece);
          talker.to_peer += piece;
        }
        break;
      case 3:
      case 4:
      case 5:
        if (talker.peer >= 0) {
          const ssize_t sent = ::send(talker.peer, piece.data(), piece.size(), MSG_NOSIGNAL);
          talker.from_peer += piece.substr(0, static_cast<size_t>(std::max<ssize_t>(sent, 0)));
        }
        break;
      case 6:
      case 7:
        if (talker.peer >= 0) {
          const std::string got = read_some(talker.peer, 200'000);
          ASSERT_EQ(got, talker.to_peer.substr(talker.peer_got, got.size()));
          talker.peer_got += got.size();
        }
        break;
      case 8:
        if (connection != nullptr) {
          connection->pause_reading();
        }
        break;
      case 9:
        if (connection != nullptr) {
          connection->resume_reading();
        }
        break;
      default: end_somehow(talker); break;
    }
  }

  void end_somehow(Talker& talker) {
    Connection* connection = talker.probe.connection.get();
    switch (random(20)) {
      case 0: talker.probe.connection.reset(); break;
      case 1:
      case 2:
        if (connection != nullptr) {
          close_after_flush(std::move(talker.probe.connection), random(2) == 0);
        }
        break;
      case 3:
        if (talker.peer >= 0) {
          close_peer(std::exchange(talker.peer, -1));
        }
        break;
      case 4:
        if (connection != nullptr) {
          connection->shutdown_write();
        }
        break;
      case 5:
        if (talker.peer >= 0) {
          shutdown(talker.peer, SHUT_WR);
        }
        break;
      default: break;
    }
  }

  uint64_t state_ = 42;
};

TEST_P(ChaosTest, NothingIsLostOrLeftOver) {
  buffer::BlockPool pool({.block_bytes = 64 * 1024, .blocks_max = 24});
  start(pool);
  std::vector<std::unique_ptr<Talker>> talkers(40);
  for (int round = 0; round < 20'000; ++round) {
    auto& talker = talkers[random(talkers.size())];
    if (talker == nullptr) {
      talker = std::make_unique<Talker>();
      open(*talker);
    }
    act(*talker);
    if (talker->probe.connection == nullptr && random(4) == 0) {
      check_and_end(*talker);
      talker.reset();
    }
    if (random(3) == 0) {
      loop_->turn(Duration::zero());
    }
  }
  for (auto& talker : talkers) {
    if (talker != nullptr) {
      talker->probe.connection.reset();
      check_and_end(*talker);
    }
  }
  ASSERT_TRUE(pump([&] { return loop_->open_sockets() == 0; }));
  talkers.clear();
  loop_.reset();
  EXPECT_EQ(pool.in_use(), 0U);
}

INSTANTIATE_TEST_SUITE_P(Backends, ChaosTest, both_backends(), backend_of);
INSTANTIATE_TEST_SUITE_P(Backends, ConnectionTest, both_backends(), backend_of);

}  // namespace
}  // namespace hangu::net
