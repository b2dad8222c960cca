#include "hangu/net/listener.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <cstdlib>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "hangu/base/sanitizer.h"

#include "tests/unit/net/net_fixture.h"

namespace hangu::net {
namespace {

struct Acceptor final : ListenerHandler {
  ~Acceptor() {
    for (const int fd : accepted) {
      ::close(fd);
    }
  }

  void on_accept(int fd, const Address& peer) noexcept override {
    EXPECT_EQ(peer, peer_address(fd));
    accepted.push_back(fd);
    if (then) {
      then();
    }
  }

  std::vector<int> accepted;
  std::function<void()> then;
};

class ListenerTest : public NetTest {
 protected:
  int dial(const Address& address) {
    const int fd = ::socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC, 0);
    EXPECT_EQ(::connect(fd, address.data(), address.size()), 0);
    peers_.push_back(fd);
    return fd;
  }
};

TEST_P(ListenerTest, HandsConnectionsOn) {
  const int fd = *listen_on(*Address::parse("127.0.0.1:0"), {});
  const Address address = local_address(fd);
  Acceptor acceptor;
  const Listener listener(*loop_, fd, acceptor);
  for (int i = 0; i < 200; ++i) {
    dial(address);
  }
  ASSERT_TRUE(pump([&] { return acceptor.accepted.size() == 200; }));
  EXPECT_EQ(loop_->stats().accepts, 200U);
  for (const int accepted : acceptor.accepted) {
    int no_delay = 0;
    socklen_t size = sizeof no_delay;
    getsockopt(accepted, IPPROTO_TCP, TCP_NODELAY, &no_delay, &size);
    ASSERT_NE(no_delay, 0);
    ASSERT_NE(fcntl(accepted, F_GETFL) & O_NONBLOCK, 0);
    ASSERT_NE(fcntl(accepted, F_GETFD) & FD_CLOEXEC, 0);
  }
}

TEST_P(ListenerTest, AnyAddressOfIPv6TakesIPv4Too) {
  const auto fd = listen_on(*Address::parse("[::]:0"), {});
  if (!fd) {
    GTEST_SKIP() << "no IPv6 here";
  }
  const uint16_t port = local_address(*fd).port();
  Acceptor acceptor;
  const Listener listener(*loop_, *fd, acceptor);
  dial(Address::from_ip(std::string_view("\x7f\0\0\1", 4), port));
  ASSERT_TRUE(pump([&] { return acceptor.accepted.size() == 1; }));
  EXPECT_EQ(peer_address(acceptor.accepted[0]).ip_string(), "127.0.0.1");
}

TEST_P(ListenerTest, PausesAndResumes) {
  const int fd = *listen_on(*Address::parse("127.0.0.1:0"), {});
  const Address address = local_address(fd);
  Acceptor acceptor;
  Listener listener(*loop_, fd, acceptor);
  turns(1);
  listener.pause();
  turns(1);
  dial(address);
  turns(5);
  EXPECT_EQ(acceptor.accepted.size(), 0U);
  listener.resume();
  listener.resume();
  ASSERT_TRUE(pump([&] { return acceptor.accepted.size() == 1; }));
  listener.pause();
  listener.resume();  // before the pause has gone through
  dial(address);
  ASSERT_TRUE(pump([&] { return acceptor.accepted.size() == 2; }));
}

TEST_P(ListenerTest, DrainsItsBacklogBeforeItEnds) {
  const int fd = *listen_on(*Address::parse("127.0.0.1:0"), {});
  const Address address = local_address(fd);
  Acceptor acceptor;
  auto listener = std::make_unique<Listener>(*loop_, fd, acceptor);
  turns(1);
  for (int i = 0; i < 100; ++i) {
    dial(address);
  }
  listener->drain_backlog();
  EXPECT_GE(acceptor.accepted.size(), 50U);
  listener.reset();
  ASSERT_TRUE(pump([&] { return acceptor.accepted.size() == 100; }));
  turns(3);
  const int late = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  peers_.push_back(late);
  EXPECT_NE(::connect(late, address.data(), address.size()), 0);
}

TEST_P(ListenerTest, MayEndWhileAccepting) {
  const int fd = *listen_on(*Address::parse("127.0.0.1:0"), {});
  const Address address = local_address(fd);
  Acceptor acceptor;
  auto listener = std::make_unique<Listener>(*loop_, fd, acceptor);
  acceptor.then = [&] { listener.reset(); };
  dial(address);
  dial(address);
  ASSERT_TRUE(pump([&] { return listener == nullptr; }));
  turns(3);
}

TEST_P(ListenerTest, BacksOffWhenOutOfDescriptors) {
#if HANGU_ASAN
  GTEST_SKIP() << "the undefined-behaviour sanitizer needs descriptors to look at vtables";
#endif
  const int fd = *listen_on(*Address::parse("127.0.0.1:0"), {});
  const Address address = local_address(fd);
  dial(address);
  const int probe = dial(address);
  rlimit saved{};
  getrlimit(RLIMIT_NOFILE, &saved);
  rlimit low = saved;
  low.rlim_cur = static_cast<rlim_t>(probe);  // no new descriptor
  setrlimit(RLIMIT_NOFILE, &low);             // io_uring looks when the accept is armed
  Acceptor acceptor;
  const Listener listener(*loop_, fd, acceptor);
  const uint64_t turns_before = loop_->stats().turns;
  const TimePoint end = std::chrono::steady_clock::now() + std::chrono::milliseconds(50);
  while (std::chrono::steady_clock::now() < end) {
    loop_->turn(std::chrono::milliseconds(50));
  }
  EXPECT_LE(loop_->stats().turns - turns_before, 8U);  // it does not spin
  EXPECT_EQ(acceptor.accepted.size(), 0U);
  setrlimit(RLIMIT_NOFILE, &saved);
  ASSERT_TRUE(pump([&] { return acceptor.accepted.size() == 2; }));
}

TEST_P(ListenerTest, ReplacesAStaleUnixSocketOnly) {
  std::string folder = "/tmp/hangu-listener-XXXXXX";
  ASSERT_NE(mkdtemp(folder.data()), nullptr);
  const Address address = *Address::parse("unix:" + folder + "/s");
  const int first = *listen_on(address, {});
  const auto second = listen_on(address, {});
  EXPECT_FALSE(second);
  EXPECT_EQ(second.error().sys_errno, EADDRINUSE);
  ::close(first);
  const auto third = listen_on(address, {});
  ASSERT_TRUE(third);
  Acceptor acceptor;
  const Listener listener(*loop_, *third, acceptor);
  dial(address);
  ASSERT_TRUE(pump([&] { return acceptor.accepted.size() == 1; }));
  ::unlink((folder + "/s").c_str());
  ::rmdir(folder.c_str());
}

TEST(ListenOn, SharesAPortAndSaysWhatFails) {
  const int first = *listen_on(*Address::parse("127.0.0.1:0"), {});
  const Address address = local_address(first);
  const auto second = listen_on(address, {});
  EXPECT_TRUE(second);
  const auto third = listen_on(address, {.reuse_port = false});
  ASSERT_FALSE(third);
  EXPECT_EQ(third.error().sys_errno, EADDRINUSE);
  ::close(first);
  ::close(*second);
}

INSTANTIATE_TEST_SUITE_P(Backends, ListenerTest, both_backends(), backend_of);

}  // namespace
}  // namespace hangu::net
