#include "hangu/net/descriptor_passing.h"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "hangu/base/assert.h"

namespace hangu::net {
namespace {

/// Room for the control message.
struct alignas(cmsghdr) Control {
  std::array<char, CMSG_SPACE(kDescriptorsMax * sizeof(int))> bytes{};
};

}  // namespace

int send_with_descriptors(int socket, std::string_view bytes, std::span<const int> descriptors,
                          std::string_view to) {
  HANGU_ASSERT(!bytes.empty() && descriptors.size() <= kDescriptorsMax);
  iovec piece{.iov_base = const_cast<char*>(bytes.data()), .iov_len = bytes.size()};
  msghdr message{};
  message.msg_name = to.empty() ? nullptr : const_cast<char*>(to.data());
  message.msg_namelen = static_cast<socklen_t>(to.size());
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  Control control;
  if (!descriptors.empty()) {
    message.msg_control = control.bytes.data();
    message.msg_controllen = CMSG_SPACE(descriptors.size_bytes());
    cmsghdr* head = CMSG_FIRSTHDR(&message);
    head->cmsg_level = SOL_SOCKET;
    head->cmsg_type = SCM_RIGHTS;
    head->cmsg_len = CMSG_LEN(descriptors.size_bytes());
    std::copy(descriptors.begin(), descriptors.end(), reinterpret_cast<int*>(CMSG_DATA(head)));
  }
  ssize_t sent = 0;
  do {
    sent = ::sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
  } while (sent < 0 && errno == EINTR);
  // The kernel bounds the descriptors that are on their way, too.
  return sent >= 0 ? 0 : errno == ETOOMANYREFS || errno == ENOBUFS ? EAGAIN : errno;
}

Received receive_with_descriptors(int socket, size_t bytes_max) {
  Received received;
  received.bytes.resize(bytes_max);
  iovec piece{.iov_base = received.bytes.data(), .iov_len = bytes_max};
  Control control;
  msghdr message{};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  message.msg_control = control.bytes.data();
  message.msg_controllen = control.bytes.size();
  ssize_t got = 0;
  do {
    got = ::recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
  } while (got < 0 && errno == EINTR);
  received.error = got < 0 ? errno : 0;
  received.cut = got >= 0 && (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0;
  received.bytes.resize(got > 0 ? static_cast<size_t>(got) : 0);
  for (cmsghdr* head = CMSG_FIRSTHDR(&message); head != nullptr;
       head = CMSG_NXTHDR(&message, head)) {
    if (head->cmsg_level == SOL_SOCKET && head->cmsg_type == SCM_RIGHTS) {
      const size_t count = (head->cmsg_len - CMSG_LEN(0)) / sizeof(int);
      const auto* const first = reinterpret_cast<const int*>(CMSG_DATA(head));
      received.descriptors.insert(received.descriptors.end(), first, first + count);
    }
  }
  return received;
}

}  // namespace hangu::net
