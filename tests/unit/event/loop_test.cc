#include "hangu/event/loop.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace hangu::event {
namespace {

using std::chrono::milliseconds;

std::string backend_of(const testing::TestParamInfo<BackendKind>& info) {
  return info.param == BackendKind::kEpoll ? "Epoll" : "IoUring";
}

struct Recorder final : SocketHandler {
  void on_receive(buffer::BlockRef block, uint32_t bytes) noexcept override {
    received.append(block->data(), bytes);
    if (keep) {
      kept.push_back(std::move(block));
    }
    if (then) {
      then();
    }
  }

  void on_receive_end(int error) noexcept override {
    ++ends;
    end_error = error;
  }

  void on_send(int error, size_t bytes) noexcept override {
    ++sends;
    send_error = error;
    sent += bytes;
  }

  void on_connect(int error) noexcept override {
    ++connects;
    connect_error = error;
  }

  void on_readable() noexcept override { ++readables; }

  void on_quiet() noexcept override { ++quiets; }

  void on_closed() noexcept override { ++closes; }

  std::string received;
  std::vector<buffer::BlockRef> kept;
  std::function<void()> then;
  bool keep = false;
  int ends = 0;
  int end_error = 0;
  int sends = 0;
  int send_error = 0;
  size_t sent = 0;
  int connects = 0;
  int connect_error = -1;
  int readables = 0;
  int quiets = 0;
  int closes = 0;
};

class LoopTest : public testing::TestWithParam<BackendKind> {
 protected:
  void SetUp() override {
    auto loop = Loop::create({.backend = GetParam(), .receive_blocks = pool_});
    if (!loop) {
      GTEST_SKIP() << loop.error().detail;
    }
    loop_ = std::move(*loop);
  }

  void TearDown() override {
    loop_.reset();
    for (const int fd : peers_) {
      ::close(fd);
    }
  }

  /// One end for the loop, the other for the test.
  std::pair<int, int> make_pair() {
    int fds[2] = {-1, -1};
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
    peers_.push_back(fds[1]);
    return {fds[0], fds[1]};
  }

  template <class Condition>
  bool pump(Condition condition, Duration limit = std::chrono::seconds(10)) {
    const TimePoint deadline = std::chrono::steady_clock::now() + limit;
    while (!condition()) {
      if (std::chrono::steady_clock::now() > deadline) {
        return false;
      }
      loop_->turn(milliseconds(10));
    }
    return true;
  }

  buffer::BlockPool pool_{{.block_bytes = 64 * 1024, .blocks_max = 128}};
  std::unique_ptr<Loop> loop_;
  std::vector<int> peers_;
};

TEST_P(LoopTest, SaysWhichBackendItIs) {
  EXPECT_EQ(loop_->backend_name(), GetParam() == BackendKind::kEpoll ? "epoll" : "io_uring");
}

TEST_P(LoopTest, ReceivesAndEnds) {
  const auto [ours, theirs] = make_pair();
  Recorder recorder;
  const SocketId id = loop_->open(ours, recorder);
  loop_->start_receive(id);
  ASSERT_EQ(::write(theirs, "hello", 5), 5);
  ASSERT_TRUE(pump([&] { return recorder.received == "hello"; }));
  ASSERT_EQ(::write(theirs, " world", 6), 6);
  shutdown(theirs, SHUT_WR);
  ASSERT_TRUE(pump([&] { return recorder.ends == 1; }));
  EXPECT_EQ(recorder.received, "hello world");
  EXPECT_EQ(recorder.end_error, 0);
  loop_->close(id);
  ASSERT_TRUE(pump([&] { return recorder.closes == 1; }));
  EXPECT_EQ(loop_->open_sockets(), 0U);
}

TEST_P(LoopTest, SendsAndTellsWhenItIsOver) {
  const auto [ours, theirs] = make_pair();
  Recorder recorder;
  const SocketId id = loop_->open(ours, recorder);
  std::array<iovec, 2> vector{{{const_cast<char*>("abc"), 3}, {const_cast<char*>("defg"), 4}}};
  const SendResult result = loop_->send(id, vector.data(), 2);
  ASSERT_TRUE(pump([&] { return result.bytes + recorder.sent == 7; }));
  char text[16];
  ASSERT_EQ(::read(theirs, text, sizeof text), 7);
  EXPECT_EQ(std::string(text, 7), "abcdefg");
  loop_->close(id);
  ASSERT_TRUE(pump([&] { return recorder.closes == 1; }));
}

TEST_P(LoopTest, ClosesWithEverythingInFlight) {
  const auto [ours, theirs] = make_pair();
  Recorder recorder;
  const SocketId id = loop_->open(ours, recorder);
  loop_->start_receive(id);
  loop_->turn(Duration::zero());
  const std::string much(8 * 1024 * 1024, 'x');
  const iovec vector{const_cast<char*>(much.data()), much.size()};
  EXPECT_TRUE(loop_->send(id, &vector, 1).pending);
  loop_->turn(Duration::zero());
  loop_->close(id);
  ASSERT_TRUE(pump([&] { return recorder.closes == 1; }));
  EXPECT_EQ(recorder.ends, 0);
  std::array<char, 4096> text;
  while (::read(theirs, text.data(), text.size()) > 0) {
  }
  EXPECT_EQ(::read(theirs, text.data(), text.size()), 0);  // the FIN
}

TEST_P(LoopTest, OnClosedIsTheLastCallAndSlotsAreReused) {
  for (int round = 0; round < 50; ++round) {
    const auto [ours, theirs] = make_pair();
    Recorder recorder;
    const SocketId id = loop_->open(ours, recorder);
    EXPECT_EQ(id, 0U);
    loop_->start_receive(id);
    ASSERT_EQ(::write(theirs, "x", 1), 1);
    recorder.then = [&] { loop_->close(id); };
    ASSERT_TRUE(pump([&] { return recorder.closes == 1; }));
    loop_->turn(Duration::zero());
    EXPECT_EQ(recorder.closes, 1);
    EXPECT_EQ(recorder.received, "x");
  }
}

TEST_P(LoopTest, StopReceiveStopsSoonAndLosesNothing) {
  const auto [ours, theirs] = make_pair();
  Recorder recorder;
  const SocketId id = loop_->open(ours, recorder);
  loop_->start_receive(id);
  std::string expected;
  for (int round = 0; round < 100; ++round) {
    const std::string piece(100 + static_cast<size_t>(round), static_cast<char>('a' + round % 26));
    expected += piece;
    ASSERT_EQ(::write(theirs, piece.data(), piece.size()), static_cast<ssize_t>(piece.size()));
    loop_->turn(Duration::zero());
    if (round % 3 == 0) {
      loop_->stop_receive(id);
    } else if (round % 3 == 2) {
      loop_->start_receive(id);
    }
  }
  loop_->start_receive(id);
  ASSERT_TRUE(pump([&] { return recorder.received.size() == expected.size(); }));
  EXPECT_EQ(recorder.received, expected);
  loop_->stop_receive(id);
  ASSERT_EQ(::write(theirs, "1", 1), 1);  // may still come
  for (int i = 0; i < 5; ++i) {
    loop_->turn(milliseconds(1));
  }
  const size_t size = recorder.received.size();
  ASSERT_EQ(::write(theirs, "2", 1), 1);  // not this
  for (int i = 0; i < 5; ++i) {
    loop_->turn(milliseconds(1));
  }
  EXPECT_EQ(recorder.received.size(), size);
  loop_->close(id);
  ASSERT_TRUE(pump([&] { return recorder.closes == 1; }));
}

/// Every byte is either received before or still in the kernel after: another process may have it.
TEST_P(LoopTest, QuiesceLeavesTheRestInTheKernel) {
  for (int round = 0; round < 300; ++round) {
    const auto [ours, theirs] = make_pair();
    Recorder recorder;
    const SocketId id = loop_->open(ours, recorder);
    loop_->start_receive(id);
    for (int turn = round % 3; turn != 0; --turn) {
      loop_->turn(Duration::zero());
    }
    if (round % 2 == 0) {
      ASSERT_EQ(::write(theirs, "first", 5), 5);
    }
    const bool quiet = loop_->quiesce(id);
    std::thread writer;
    if (round % 5 == 0) {
      writer = std::thread([&, to = theirs] { EXPECT_EQ(::write(to, "meanwhile", 9), 9); });
    }
    ASSERT_TRUE(pump([&] { return quiet || recorder.quiets == 1; }));
    if (writer.joinable()) {
      writer.join();
    }
    ASSERT_EQ(::write(theirs, "last", 4), 4);
    loop_->turn(milliseconds(1));
    std::array<char, 64> rest{};
    const ssize_t left = ::recv(ours, rest.data(), rest.size(), MSG_DONTWAIT);
    ASSERT_GT(left, 0);
    const std::string all = recorder.received + std::string(rest.data(), static_cast<size_t>(left));
    EXPECT_EQ(all, std::string(round % 2 == 0 ? "first" : "") +
                       (round % 5 == 0 ? "meanwhile" : "") + "last");
    EXPECT_EQ(recorder.quiets, quiet ? 0 : 1);
    loop_->close(id);
    ASSERT_TRUE(pump([&] { return recorder.closes == 1; }));
  }
}

TEST_P(LoopTest, LimitsWhatAReceiveBrings) {
  const auto [ours, theirs] = make_pair();
  Recorder recorder;
  const SocketId id = loop_->open(ours, recorder);
  loop_->limit_receive(id, 1000);
  ASSERT_EQ(::write(theirs, std::string(2500, 'x').data(), 2500), 2500);
  size_t first = 0;
  recorder.then = [&] {
    first = first == 0 ? recorder.received.size() : first;
    loop_->stop_receive(id);
  };
  loop_->start_receive(id);
  ASSERT_TRUE(pump([&] { return first != 0; }));
  EXPECT_LE(first, 1000U);
  loop_->limit_receive(id, 0);
  recorder.then = nullptr;
  loop_->start_receive(id);
  ASSERT_TRUE(pump([&] { return recorder.received.size() == 2500; }));
  loop_->close(id);
  ASSERT_TRUE(pump([&] { return recorder.closes == 1; }));
}

TEST_P(LoopTest, MovesBytesThroughAPipe) {
  const auto [from, from_peer] = make_pair();
  const auto [to, to_peer] = make_pair();
  Recorder source;
  Recorder target;
  const SocketId from_id = loop_->open(from, source);
  const SocketId to_id = loop_->open(to, target);
  std::unique_ptr<Pipe> pipe = loop_->pipes().acquire();
  ASSERT_NE(pipe, nullptr);
  EXPECT_EQ(loop_->receive_into(from_id, *pipe, 100), -EAGAIN);
  loop_->wait_readable(from_id, Waiting::kNone);
  for (int i = 0; i < 3; ++i) {
    loop_->turn(milliseconds(1));
  }
  EXPECT_EQ(source.readables, 0);
  ASSERT_EQ(::write(from_peer, "hello", 5), 5);
  ASSERT_TRUE(pump([&] { return source.readables == 1; }));
  EXPECT_EQ(loop_->receive_into(from_id, *pipe, 100), 5);
  EXPECT_EQ(pipe->bytes(), 5U);
  const SendResult result = loop_->send_from(to_id, *pipe);
  EXPECT_EQ(result.bytes, 5U);
  EXPECT_FALSE(result.pending);
  char text[16];
  EXPECT_EQ(std::string(text, static_cast<size_t>(::read(to_peer, text, sizeof text))), "hello");
  EXPECT_EQ(loop_->stats().spliced_bytes, 5U);
  EXPECT_EQ(source.received, "");
  loop_->pipes().release(std::move(pipe));

  loop_->wait_readable(from_id, Waiting::kNone);
  loop_->start_receive(from_id);  // takes it back
  ASSERT_EQ(::write(from_peer, "data", 4), 4);
  ASSERT_TRUE(pump([&] { return source.received == "data"; }));
  EXPECT_EQ(source.readables, 1);
  loop_->wait_readable(from_id, Waiting::kSome);
  ASSERT_EQ(::write(from_peer, "more", 4), 4);
  ASSERT_TRUE(pump([&] { return source.readables == 2; }));
  loop_->close(from_id);
  loop_->close(to_id);
  ASSERT_TRUE(pump([&] { return source.closes == 1 && target.closes == 1; }));
}

TEST_P(LoopTest, AFullPeerTakesTheRestOfAPipeLater) {
  const auto [from, from_peer] = make_pair();
  const auto sink = make_pair();  // clang 14 takes no binding into a lambda
  const int to_peer = sink.second;
  Recorder source;
  Recorder target;
  const SocketId from_id = loop_->open(from, source);
  const SocketId to_id = loop_->open(sink.first, target);
  std::array<char, 65536> text{};
  SendResult result;
  size_t moved = 0;
  size_t taken = 0;
  std::unique_ptr<Pipe> pipe = loop_->pipes().acquire();
  ASSERT_NE(pipe, nullptr);
  while (!result.pending) {
    ASSERT_GT(::write(from_peer, text.data(), text.size()), 0);
    const ssize_t got = loop_->receive_into(from_id, *pipe, text.size());
    ASSERT_GT(got, 0);
    moved += static_cast<size_t>(got);
    result = loop_->send_from(to_id, *pipe);
    ASSERT_EQ(result.error, 0);
  }
  EXPECT_NE(pipe->bytes(), 0U);
  ASSERT_TRUE(pump([&] {
    taken += static_cast<size_t>(std::max<ssize_t>(::read(to_peer, text.data(), text.size()), 0));
    return target.sends == 1;
  }));
  EXPECT_EQ(target.send_error, 0);
  EXPECT_EQ(target.sent, 0U);
  ASSERT_TRUE(pump([&] {
    if (pipe->bytes() != 0) {
      loop_->send_from(to_id, *pipe);
    }
    taken += static_cast<size_t>(std::max<ssize_t>(::read(to_peer, text.data(), text.size()), 0));
    return taken == moved;
  }));
  loop_->pipes().release(std::move(pipe));
  loop_->wait_readable(from_id, Waiting::kNone);  // closes with a poll under way
  loop_->turn(Duration::zero());
  loop_->close(from_id);
  loop_->close(to_id);
  ASSERT_TRUE(pump([&] { return source.closes == 1 && target.closes == 1; }));
}

TEST_P(LoopTest, BytesThatAPipeLeftAreTold) {
  const auto [ours, theirs] = make_pair();
  Recorder recorder;
  const SocketId id = loop_->open(ours, recorder);
  ASSERT_EQ(::write(theirs, "abcdef", 6), 6);
  ::shutdown(theirs, SHUT_WR);
  const auto wait = [&](Waiting waiting) {
    const int before = recorder.readables;
    loop_->wait_readable(id, waiting);
    return pump([&] { return recorder.readables > before; });
  };
  ASSERT_TRUE(wait(Waiting::kSome));
  std::unique_ptr<Pipe> pipe = loop_->pipes().acquire();
  ASSERT_NE(pipe, nullptr);
  for (const ssize_t expected : {3, 3, 0}) {  // the last is the FIN
    ssize_t got = loop_->receive_into(id, *pipe, 3);
    while (got == -EAGAIN) {
      ASSERT_TRUE(wait(Waiting::kNone));
      got = loop_->receive_into(id, *pipe, 3);
    }
    EXPECT_EQ(got, expected);
    loop_->pipes().release(std::move(pipe));
    pipe = loop_->pipes().acquire();
    ASSERT_TRUE(expected == 0 || wait(Waiting::kMaybe));
  }
  loop_->pipes().release(std::move(pipe));
  loop_->close(id);
  ASSERT_TRUE(pump([&] { return recorder.closes == 1; }));
}

TEST(PipePool, GivesSoManyAtOnce) {
  PipePool pool;
  std::vector<std::unique_ptr<Pipe>> pipes;
  for (size_t i = 0; i < PipePool::kInUseMax; ++i) {
    pipes.push_back(pool.acquire());
    ASSERT_NE(pipes.back(), nullptr) << i;
  }
  EXPECT_FALSE(pool.available());
  EXPECT_EQ(pool.acquire(), nullptr);
  pool.release(std::move(pipes.back()));
  pipes.pop_back();
  EXPECT_TRUE(pool.available());
  EXPECT_NE(pipes.emplace_back(pool.acquire()), nullptr);
  for (auto& pipe : pipes) {
    pool.release(std::move(pipe));
  }
  pool.disable();
  EXPECT_EQ(pool.acquire(), nullptr);
}

TEST_P(LoopTest, WaitsForBlocksWhenThePoolIsExhausted) {
  std::vector<std::unique_ptr<Recorder>> recorders;
  std::vector<SocketId> ids;
  std::vector<int> theirs;
  const std::string message(50'000, 'm');
  for (int i = 0; i < 200; ++i) {  // more than there are blocks
    const auto [our_end, their_end] = make_pair();
    recorders.push_back(std::make_unique<Recorder>());
    recorders.back()->keep = true;
    ids.push_back(loop_->open(our_end, *recorders.back()));
    loop_->start_receive(ids.back());
    ASSERT_EQ(::write(their_end, message.data(), message.size()), 50'000);
  }
  const auto total = [&] {
    size_t bytes = 0;
    for (const auto& recorder : recorders) {
      bytes += recorder->received.size();
    }
    return bytes;
  };
  ASSERT_TRUE(pump([&] { return pool_.exhausted() && loop_->stats().starved_receives != 0; }));
  const uint64_t turns = loop_->stats().turns;
  loop_->turn(milliseconds(20));
  loop_->turn(milliseconds(20));
  EXPECT_LE(loop_->stats().turns, turns + 2);
  EXPECT_LT(total(), 200 * message.size());
  for (int round = 0; round < 10'000 && total() < 200 * message.size(); ++round) {
    for (const auto& recorder : recorders) {
      recorder->kept.clear();
    }
    loop_->turn(milliseconds(1));
  }
  EXPECT_EQ(total(), 200 * message.size());
  for (size_t i = 0; i < ids.size(); ++i) {
    recorders[i]->kept.clear();
    EXPECT_EQ(recorders[i]->received, message);
    loop_->close(ids[i]);
  }
  ASSERT_TRUE(pump([&] { return loop_->open_sockets() == 0; }));
}

TEST_P(LoopTest, StopAndMailFromAnotherThread) {
  int mail = 0;
  std::thread other([&] {
    for (int i = 0; i < 100; ++i) {
      loop_->mailbox().post([&] { ++mail; });
    }
    loop_->mailbox().post([&] { loop_->stop(); });
  });
  loop_->run();
  other.join();
  EXPECT_EQ(mail, 100);
}

TEST_P(LoopTest, StopWakesASleepingLoop) {
  std::thread other([&] { loop_->stop(); });
  loop_->run();
  other.join();
}

TEST_P(LoopTest, TimersFireWhileItWaits) {
  struct Probe final : Timer {
    void on_timer() noexcept override { fired = true; }

    bool fired = false;
  } probe;

  const TimePoint begin = std::chrono::steady_clock::now();
  loop_->turn(Duration::zero());
  probe.arm(loop_->timers(), milliseconds(20));
  const uint64_t turns = loop_->stats().turns;
  while (!probe.fired) {
    loop_->turn(Duration(-1));
  }
  EXPECT_GE(std::chrono::steady_clock::now() - begin, milliseconds(20));
  EXPECT_LE(loop_->stats().turns - turns, 4U);
  EXPECT_GE(loop_->now(), begin + milliseconds(20));
}

TEST_P(LoopTest, FlushesAndDefersAtTheEndOfTheTurn) {
  std::vector<std::string> order;

  struct Flush final : FlushHandler {
    void flush() noexcept override { body(); }

    std::function<void()> body;
  } first, second;

  struct Later final : Deferred {
    void run_deferred() noexcept override { body(); }

    std::function<void()> body;
  } later;

  later.body = [&] {
    order.emplace_back("deferred");
    if (order.size() < 6) {
      loop_->schedule_flush(second);
    }
  };
  first.body = [&] {
    order.emplace_back("first");
    loop_->schedule_flush(second);
    loop_->defer(later);
  };
  second.body = [&] { order.emplace_back("second"); };
  loop_->mailbox().post([&] {
    loop_->schedule_flush(first);
    loop_->schedule_flush(first);
  });
  loop_->turn(Duration::zero());
  EXPECT_EQ(order, (std::vector<std::string>{"first", "second", "deferred", "second"}));
}

TEST_P(LoopTest, SpreadsCostlyWorkOverTurns) {
  std::vector<std::string> order;

  struct Flush final : FlushHandler {
    void flush() noexcept override { body(); }

    std::function<void()> body;
  } flush;

  struct Long final : Costly {
    void run_costly() noexcept override { body(); }

    std::function<void()> body;
  } work[3];

  flush.body = [&] { order.emplace_back("flush"); };
  for (Long& item : work) {
    item.body = [&] {
      order.emplace_back("work");
      loop_->schedule_flush(flush);
      ::poll(nullptr, 0, 3);  // takes longer than a turn has for it
    };
    loop_->queue_costly(item);
    loop_->queue_costly(item);
  }
  loop_->turn(std::chrono::seconds(5));
  order.emplace_back("turn");
  loop_->turn(std::chrono::seconds(5));  // does not wait: there is work
  order.emplace_back("turn");
  loop_->turn(std::chrono::seconds(5));
  EXPECT_EQ(order, (std::vector<std::string>{"work", "flush", "turn", "work", "flush", "turn",
                                             "work", "flush"}));
}

TEST_P(LoopTest, RunsShortCostlyWorkInOneTurn) {
  struct Short final : Costly {
    void run_costly() noexcept override { ++*count; }

    int* count = nullptr;
  } work[3];

  int count = 0;
  for (Short& item : work) {
    item.count = &count;
    loop_->queue_costly(item);
  }
  {
    Short dropped;
    dropped.count = &count;
    loop_->queue_costly(dropped);
  }
  loop_->turn(Duration::zero());
  EXPECT_EQ(count, 3);
}

TEST_P(LoopTest, TellsOfShortMemoryAtIntervals) {
  struct Handler final : PressureHandler {
    void on_pressure() noexcept override { ++calls; }

    int calls = 0;
  } handler;

  loop_->set_pressure_handler(&handler);
  loop_->turn(Duration::zero());
  EXPECT_EQ(handler.calls, 0);
  EXPECT_EQ(loop_->bounded(1000), 1000U);

  std::vector<buffer::BlockRef> taken;
  while (loop_->pressure() != buffer::Pressure::kCritical) {
    taken.push_back(pool_.acquire());
    ASSERT_TRUE(taken.back());
  }
  EXPECT_EQ(loop_->bounded(1000), 0U);
  EXPECT_GT(loop_->excess_bytes(), 0U);
  loop_->turn(Duration::zero());
  loop_->turn(Duration::zero());
  EXPECT_EQ(handler.calls, 1);
  loop_->turn(10 * kRelieveInterval);  // wakes up by itself
  EXPECT_EQ(handler.calls, 2);

  taken.clear();
  EXPECT_EQ(loop_->pressure(), buffer::Pressure::kNone);
  EXPECT_EQ(loop_->excess_bytes(), 0U);
  loop_->set_pressure_handler(nullptr);
}

TEST_P(LoopTest, EndsWhatIsStillOpen) {
  const auto [ours, theirs] = make_pair();
  Recorder recorder;
  loop_->start_receive(loop_->open(ours, recorder));
  loop_->turn(Duration::zero());
  Recorder closing;
  loop_->close(loop_->open(make_pair().first, closing));
  loop_.reset();
  EXPECT_EQ(recorder.ends, 1);
  EXPECT_EQ(recorder.end_error, ECANCELED);
  EXPECT_EQ(closing.closes, 1);
  pollfd entry{.fd = theirs, .events = POLLIN, .revents = 0};
  EXPECT_EQ(poll(&entry, 1, 10'000), 1);  // the kernel ends a ring in the background
  char byte = 0;
  EXPECT_EQ(::read(theirs, &byte, 1), 0);
  EXPECT_EQ(pool_.in_use(), 0U);
}

TEST_P(LoopTest, NowMovesOnceATurn) {
  const TimePoint before = loop_->now();
  while (std::chrono::steady_clock::now() < before + milliseconds(2)) {
  }
  EXPECT_EQ(loop_->now(), before);
  const WallTime wall = loop_->wall_time();
  EXPECT_EQ(loop_->wall_time(), wall);
  loop_->turn(Duration::zero());
  EXPECT_GE(loop_->now(), before + milliseconds(2));
  EXPECT_NE(loop_->wall_time(), wall);
}

TEST(Loop, AutoAlwaysFindsABackend) {
  buffer::BlockPool pool({.block_bytes = 64 * 1024, .blocks_max = 128});
  auto loop = Loop::create({.receive_blocks = pool});
  ASSERT_TRUE(loop);
  const char* reason = "";
  EXPECT_EQ((*loop)->backend_name(), io_uring_available(&reason) ? "io_uring" : "epoll") << reason;
}

INSTANTIATE_TEST_SUITE_P(Backends, LoopTest,
                         testing::Values(BackendKind::kEpoll, BackendKind::kIoUring), backend_of);

}  // namespace
}  // namespace hangu::event
