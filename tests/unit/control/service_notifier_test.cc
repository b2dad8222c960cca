#include "hangu/control/service_notifier.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstdlib>
#include <string>

#include <gtest/gtest.h>

namespace hangu::control {
namespace {

/// The service manager's end: a datagram socket with an abstract name.
class Manager {
 public:
  Manager() {
    name_ = "@hangu-notify-test-" + std::to_string(::getpid());
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    name_.copy(address.sun_path, name_.size());
    address.sun_path[0] = '\0';
    fd_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name_.size());
    EXPECT_EQ(::bind(fd_, reinterpret_cast<const sockaddr*>(&address), size), 0);
  }

  ~Manager() { ::close(fd_); }

  const std::string& name() const { return name_; }

  /// The next datagram; empty when there is none.
  std::string next() {
    std::array<char, 512> buffer{};
    const ssize_t size = ::recv(fd_, buffer.data(), buffer.size(), 0);
    return size < 0 ? std::string() : std::string(buffer.data(), static_cast<size_t>(size));
  }

 private:
  std::string name_;
  int fd_ = -1;
};

TEST(ServiceNotifierTest, TellsTheWholeLifeOfAProcess) {
  Manager manager;
  ServiceNotifier notifier(manager.name(), std::chrono::seconds(10));
  ASSERT_TRUE(notifier.active());
  EXPECT_EQ(notifier.watchdog_interval(), std::chrono::seconds(5));

  notifier.ready("serving generation 1");
  EXPECT_EQ(manager.next(), "READY=1\nSTATUS=serving generation 1");
  notifier.reloading(TimePoint(std::chrono::milliseconds(1500)));
  EXPECT_EQ(manager.next(), "RELOADING=1\nMONOTONIC_USEC=1500000\nSTATUS=reloading");
  notifier.alive();
  EXPECT_EQ(manager.next(), "WATCHDOG=1");
  notifier.stopping("draining", std::chrono::seconds(70));
  EXPECT_EQ(manager.next(), "STOPPING=1\nEXTEND_TIMEOUT_USEC=70000000\nSTATUS=draining");
}

TEST(ServiceNotifierTest, StatusStaysOneLine) {
  Manager manager;
  ServiceNotifier notifier(manager.name(), Duration::zero());
  notifier.status("one\nREADY=1\r\n");
  EXPECT_EQ(manager.next(), "STATUS=one READY=1  ");
}

TEST(ServiceNotifierTest, WithoutASocketItSaysNothing) {
  ServiceNotifier notifier("", std::chrono::seconds(10));
  EXPECT_FALSE(notifier.active());
  EXPECT_EQ(notifier.watchdog_interval(), Duration::zero());
  notifier.ready("nobody hears it");
}

TEST(ServiceNotifierTest, ALostManagerIsNoError) {
  std::string name;
  {
    Manager manager;
    name = manager.name();
  }
  ServiceNotifier notifier(name, Duration::zero());
  notifier.ready("nobody hears it");
}

TEST(ServiceNotifierTest, ReadsTheEnvironmentMeantForThisProcess) {
  Manager manager;
  ::setenv("NOTIFY_SOCKET", manager.name().c_str(), 1);
  ::setenv("WATCHDOG_USEC", "3000000", 1);
  ::setenv("WATCHDOG_PID", std::to_string(::getpid()).c_str(), 1);
  EXPECT_EQ(ServiceNotifier::from_environment().watchdog_interval(),
            std::chrono::milliseconds(1500));
  ::setenv("WATCHDOG_PID", "1", 1);
  EXPECT_EQ(ServiceNotifier::from_environment().watchdog_interval(), Duration::zero());
  EXPECT_TRUE(ServiceNotifier::from_environment().active());
  ::unsetenv("NOTIFY_SOCKET");
  ::unsetenv("WATCHDOG_USEC");
  ::unsetenv("WATCHDOG_PID");
  EXPECT_FALSE(ServiceNotifier::from_environment().active());
}

}  // namespace
}  // namespace hangu::control
