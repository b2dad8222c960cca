// LoopbackOrigin: an HTTP/1.1 origin on its own thread that answers every request head with the
// same bytes. Blocking, one connection at a time, no allocation once it runs: for counting the
// gateway's.
#pragma once

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <string>
#include <string_view>
#include <thread>

#include "hangu/net/address.h"
#include "hangu/net/listener.h"

namespace hangu::test {

class LoopbackOrigin {
 public:
  explicit LoopbackOrigin(std::string response)
      : response_(std::move(response)),
        listener_(*net::listen_on(*net::Address::parse("127.0.0.1:0"), {})) {
    port_ = net::local_address(listener_).port();
    const int flags_cleared = ::fcntl(listener_, F_SETFL, 0);
    if (flags_cleared == 0) {
      thread_ = std::thread([this] { serve(); });
    }
  }

  ~LoopbackOrigin() {
    ::shutdown(listener_, SHUT_RDWR);
    if (const int open = connection_.load(); open >= 0) {
      ::shutdown(open, SHUT_RDWR);
    }
    thread_.join();
    ::close(listener_);
  }

  LoopbackOrigin(const LoopbackOrigin&) = delete;
  LoopbackOrigin& operator=(const LoopbackOrigin&) = delete;

  uint16_t port() const { return port_; }

 private:
  void serve() {
    while (true) {
      const int connection = ::accept(listener_, nullptr, nullptr);
      if (connection < 0) {
        return;
      }
      connection_ = connection;
      answer_all(connection);
      connection_ = -1;
      ::close(connection);
    }
  }

  void answer_all(int connection) const {
    char buffer[4096];
    size_t held = 0;
    while (true) {
      const ssize_t got = ::recv(connection, buffer + held, sizeof buffer - held, 0);
      if (got <= 0) {
        return;
      }
      held += static_cast<size_t>(got);
      if (std::string_view(buffer, held).ends_with("\r\n\r\n")) {
        held = 0;
        if (::send(connection, response_.data(), response_.size(), MSG_NOSIGNAL) < 0) {
          return;
        }
      }
    }
  }

  std::string response_;
  int listener_;
  uint16_t port_ = 0;
  std::atomic<int> connection_{-1};
  std::thread thread_;
};

}  // namespace hangu::test
