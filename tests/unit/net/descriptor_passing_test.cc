// Descriptors that do not all come.
#include "hangu/net/descriptor_passing.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>

#include <gtest/gtest.h>

namespace hangu::net {
namespace {

class CutDescriptors : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends_.data()), 0);
  }

  void TearDown() override {
    for (const int fd : ends_) {
      ::close(fd);
    }
  }

  std::array<int, 2> ends_{-1, -1};
};

TEST_F(CutDescriptors, ComesWhole) {
  ASSERT_EQ(send_with_descriptors(ends_[0], "hello", ends_), 0);
  const Received received = receive_with_descriptors(ends_[1], 5);
  EXPECT_EQ(received.bytes, "hello");
  EXPECT_EQ(received.descriptors.size(), 2U);
  EXPECT_FALSE(received.cut);
  for (const int fd : received.descriptors) {
    ::close(fd);
  }
}

TEST_F(CutDescriptors, SaysThatBytesWereCutOff) {
  ASSERT_EQ(send_with_descriptors(ends_[0], "hello", {}), 0);
  const Received received = receive_with_descriptors(ends_[1], 4);
  EXPECT_EQ(received.bytes, "hell");
  EXPECT_TRUE(received.cut);
}

TEST_F(CutDescriptors, SaysThatNoDescriptorWasLeft) {
  ASSERT_EQ(send_with_descriptors(ends_[0], "hello", ends_), 0);
  const int free = ::fcntl(ends_[0], F_DUPFD_CLOEXEC, 0);
  ASSERT_GE(free, 0);
  ::close(free);
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  rlimit none = before;
  none.rlim_cur = static_cast<rlim_t>(free);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  const Received received = receive_with_descriptors(ends_[1], 5);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_EQ(received.bytes, "hello");
  EXPECT_TRUE(received.descriptors.empty());
  EXPECT_TRUE(received.cut);
}

}  // namespace
}  // namespace hangu::net
