// NetTest: a loop with one of the backends, plain sockets as peers, and turns until something
// holds.
#pragma once

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "hangu/event/loop.h"
#include "hangu/net/connection.h"
#include "hangu/net/listener.h"

namespace hangu::net {

/// Writes down what a connection tells, and keeps the connection.
struct Probe final : ConnectionHandler {
  void on_connected(Result<void> result) noexcept override {
    ++connects;
    connect_error = result ? 0 : result.error().sys_errno;
    call(then_connected);
  }

  void on_data(buffer::Slice data) noexcept override {
    received.append(data.view());
    bytes += data.size;
    if (keep) {
      kept.push_back(std::move(data));
    }
    call(then_data);
  }

  void on_spliced(uint64_t count) noexcept override {
    spliced += count;
    call(then_spliced);
  }

  void on_end() noexcept override {
    ++ends;
    call(then_end);
  }

  void on_error(Error error) noexcept override {
    ++errors;
    error_number = error.sys_errno;
    call(then_error);
  }

  void on_writable() noexcept override {
    ++writables;
    call(then_writable);
  }

  void on_flushed() noexcept override {
    ++flushes;
    call(then_flushed);
  }

  static void call(const std::function<void()>& body) {
    if (body) {
      body();
    }
  }

  ConnectionPtr connection;
  std::string received;
  size_t bytes = 0;
  uint64_t spliced = 0;
  std::vector<buffer::Slice> kept;
  bool keep = false;
  int connects = 0;
  int connect_error = -1;
  int ends = 0;
  int errors = 0;
  int error_number = 0;
  int writables = 0;
  int flushes = 0;
  std::function<void()> then_connected, then_data, then_end, then_error, then_writable,
      then_flushed, then_spliced;
};

class NetTest : public testing::TestWithParam<event::BackendKind> {
 protected:
  void SetUp() override {
    std::signal(SIGPIPE, SIG_IGN);  // as in the daemon: splice has no MSG_NOSIGNAL
    start(receive_blocks_);
  }

  void start(buffer::BlockPool& pool) {
    loop_.reset();
    auto loop = event::Loop::create({.backend = GetParam(), .receive_blocks = pool});
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
    EXPECT_EQ(small_blocks_.in_use(), 0U);
  }

  /// Turns until the condition holds; false when it does not within the limit.
  template <class Condition>
  bool pump(Condition condition, Duration limit = std::chrono::seconds(20)) {
    const TimePoint deadline = std::chrono::steady_clock::now() + limit;
    while (!condition()) {
      if (std::chrono::steady_clock::now() > deadline) {
        return false;
      }
      loop_->turn(std::chrono::milliseconds(1));
    }
    return true;
  }

  void turns(int count) {
    for (int i = 0; i < count; ++i) {
      loop_->turn(std::chrono::milliseconds(1));
    }
  }

  /// A connected pair over loopback TCP: {ours, theirs}, both non-blocking.
  std::pair<int, int> tcp_pair() {
    const int listener = *listen_on(*Address::parse("127.0.0.1:0"), {});
    const Address address = local_address(listener);
    const int theirs = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    EXPECT_EQ(::connect(theirs, address.data(), address.size()), 0);
    const int ours = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    EXPECT_GE(ours, 0);
    ::close(listener);
    fcntl(theirs, F_SETFL, O_NONBLOCK);
    peers_.push_back(theirs);
    return {ours, theirs};
  }

  std::pair<int, int> unix_pair() {
    int fds[2] = {-1, -1};
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
    peers_.push_back(fds[1]);
    return {fds[0], fds[1]};
  }

  int adopt(Probe& probe, std::pair<int, int> pair) {
    probe.connection = Connection::adopt(*loop_, small_blocks_, pair.first);
    probe.connection->set_handler(&probe);
    probe.connection->resume_reading();
    return pair.second;
  }

  void close_peer(int fd) {
    std::erase(peers_, fd);
    ::close(fd);
  }

  /// What there is to read now; counts the ends it meets in `peer_end_` (0: FIN, else errno).
  std::string read_some(int fd, size_t max = 1 << 20) {
    std::string text(max, '\0');
    const ssize_t got = ::recv(fd, text.data(), max, MSG_DONTWAIT);
    if (got == 0) {
      peer_end_ = 0;
    } else if (got < 0 && errno != EAGAIN) {
      peer_end_ = errno;
    }
    text.resize(static_cast<size_t>(std::max<ssize_t>(got, 0)));
    return text;
  }

  static bool send_all(int fd, std::string_view text) {
    return ::send(fd, text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size());
  }

  buffer::BlockPool receive_blocks_{{.block_bytes = 64 * 1024, .blocks_max = 512}};
  buffer::BlockPool small_blocks_{{.block_bytes = 2048, .blocks_max = 8192}};
  std::unique_ptr<event::Loop> loop_;
  std::vector<int> peers_;
  int peer_end_ = -1;
};

/// Text in which every byte can be told from its neighbours.
inline std::string pattern(size_t size) {
  std::string text(size, '\0');
  uint32_t state = 7;
  for (char& byte : text) {
    state = state * 1664525 + 1013904223;
    byte = static_cast<char>(state >> 24);
  }
  return text;
}

inline std::string backend_of(const testing::TestParamInfo<event::BackendKind>& info) {
  return info.param == event::BackendKind::kEpoll ? "Epoll" : "IoUring";
}

inline auto both_backends() {
  return testing::Values(event::BackendKind::kEpoll, event::BackendKind::kIoUring);
}

}  // namespace hangu::net
