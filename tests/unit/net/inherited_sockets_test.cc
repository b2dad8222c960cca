// InheritedSockets and the passing of descriptors.
#include "hangu/net/inherited_sockets.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hangu/net/descriptor_passing.h"
#include "hangu/net/listener.h"

namespace hangu::net {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

int listen_at(const char* address) {
  return *listen_on(*Address::parse(address), {.backlog = 16, .reuse_port = true});
}

bool is_open(int fd) {
  return ::fcntl(fd, F_GETFD) >= 0;
}

TEST(InheritedSockets, AreTakenByAddressWhateverTheirName) {
  InheritedSockets sockets;
  const int first = listen_at("127.0.0.1:0");
  const Address address = local_address(first);
  const int second = *listen_on(address, {.backlog = 16, .reuse_port = true});
  const int other = listen_at("127.0.0.1:0");
  EXPECT_TRUE(sockets.add(first, "web"));
  EXPECT_TRUE(sockets.add(other, "web"));
  EXPECT_TRUE(sockets.add(second, ""));
  EXPECT_THAT(sockets.take("another", address), ElementsAre(first, second));
  EXPECT_THAT(sockets.take("another", address), IsEmpty());
  EXPECT_THAT(sockets.names(), ElementsAre("web"));
  sockets.close_rest();
  EXPECT_FALSE(is_open(other));
  EXPECT_TRUE(is_open(first));
  ::close(first);
  ::close(second);
}

TEST(InheritedSockets, AnyPortIsTheOneThatTheNameHad) {
  InheritedSockets sockets;
  const int web = listen_at("127.0.0.1:0");
  sockets.add(web, "web");
  EXPECT_THAT(sockets.take("other", *Address::parse("127.0.0.1:0")), IsEmpty());
  EXPECT_THAT(sockets.take("web", *Address::parse("127.0.0.2:0")), IsEmpty());
  EXPECT_THAT(sockets.take("web", *Address::parse("127.0.0.1:0")), ElementsAre(web));
  ::close(web);
}

TEST(InheritedSockets, OnlyListeningOnes) {
  InheritedSockets sockets;
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  EXPECT_FALSE(sockets.add(fd, "web"));
  EXPECT_FALSE(is_open(fd));
  EXPECT_FALSE(sockets.add(-1, "web"));
}

TEST(DescriptorPassing, ManyInOneMessage) {
  int ends[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
  std::vector<int> descriptors(kDescriptorsMax, ends[0]);
  ASSERT_EQ(send_with_descriptors(ends[0], "so many", descriptors), 0);
  const Received received = receive_with_descriptors(ends[1], 100);
  EXPECT_EQ(received.bytes, "so many");
  EXPECT_EQ(received.descriptors.size(), kDescriptorsMax);
  for (const int fd : received.descriptors) {
    EXPECT_EQ(::fcntl(fd, F_GETFD), FD_CLOEXEC);
    ::close(fd);
  }
  ::close(ends[0]);
  EXPECT_EQ(receive_with_descriptors(ends[1], 100).bytes, "");
  EXPECT_EQ(send_with_descriptors(ends[1], "x", {}), EPIPE);
  ::close(ends[1]);
}

}  // namespace
}  // namespace hangu::net
