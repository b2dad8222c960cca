// Descriptors from process to process over a Unix socket (SCM_RIGHTS). Functions; any thread.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace hangu::net {

/// What the kernel takes in one message is 253.
inline constexpr size_t kDescriptorsMax = 250;

/// One message of `bytes`, not empty, with at most kDescriptorsMax descriptors, which stay the
/// caller's. Does not block; 0, or the errno: EAGAIN when there is no room now. `to`: the bytes of
/// a sockaddr; empty: where the socket is connected.
int send_with_descriptors(int socket, std::string_view bytes, std::span<const int> descriptors,
                          std::string_view to = {});

struct Received {
  std::string bytes;  // empty: the end, or `error`
  std::vector<int> descriptors;
  bool cut = false;  // bytes or descriptors did not fit: in the buffer, or in this process
  int error = 0;
};

/// Blocks if the socket does. What does not fit into `bytes_max` of a message is cut off.
Received receive_with_descriptors(int socket, size_t bytes_max);

}  // namespace hangu::net
