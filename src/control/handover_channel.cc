#include "control/handover_channel.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "hangu/base/log.h"
#include "hangu/net/descriptor_passing.h"

namespace hangu::control {

using boost::asio::posix::stream_descriptor;
using boost::system::error_code;

HandoverChannel::HandoverChannel(boost::asio::io_context& context, int socket, Listener listener)
    : socket_(context, socket),
      listener_(std::move(listener)) {
  error_code ignored;
  socket_.non_blocking(true, ignored);
  wait_to_read();
}

void HandoverChannel::send(const HandoverMessage& message, const std::vector<int>& descriptors) {
  Waiting waiting{.bytes = encode(message), .descriptors = {}};
  for (const int fd : descriptors) {
    waiting.descriptors.push_back(::fcntl(fd, F_DUPFD_CLOEXEC, 0));
    if (waiting.descriptors.back() < 0) {
      return give_up(waiting);
    }
  }
  out_.push_back(std::move(waiting));
  write();
}

/// Without this message the other end must not go on.
void HandoverChannel::give_up(const Waiting& failed) {
  log::error("event=handover_not_sent hint=\"are there descriptors left?\"");
  for (const int fd : failed.descriptors) {
    if (fd >= 0) {
      ::close(fd);
    }
  }
  ::shutdown(socket_.native_handle(), SHUT_RDWR);
}

void HandoverChannel::write() {
  while (!out_.empty() && !writing_) {
    const Waiting& next = out_.front();
    const int error =
        net::send_with_descriptors(socket_.native_handle(), next.bytes, next.descriptors);
    if (error == EAGAIN) {
      writing_ = true;
      socket_.async_wait(stream_descriptor::wait_write, [this](error_code failed) {
        if (!failed) {
          writing_ = false;
          write();
        }
      });
      return;
    }
    // That nobody reads any more is told by reading.
    for (const int fd : next.descriptors) {
      ::close(fd);
    }
    out_.pop_front();
  }
}

void HandoverChannel::wait_to_read() {
  socket_.async_wait(stream_descriptor::wait_read, [this](error_code failed) {
    if (!failed) {
      read();
    }
  });
}

void HandoverChannel::read() {
  net::Received received =
      net::receive_with_descriptors(socket_.native_handle(), kHandoverBytesMax);
  if (received.error == EAGAIN) {
    wait_to_read();
    return;
  }
  const auto message = decode_handover(received.bytes);
  if (message) {
    wait_to_read();  // first: the listener may destroy us
  } else {
    for (const int fd : std::exchange(received.descriptors, {})) {
      ::close(fd);
    }
  }
  const Listener listener = listener_;
  listener(message ? &*message : nullptr, std::move(received.descriptors));
}

}  // namespace hangu::control
