// The origin of the load runs: one thread, epoll, nothing but what a load run asks for, so that it
// is cheaper than any gateway in front of it. GET /<n> answers n bytes; whatever has a
// Content-Length is read to its end and answered with two bytes. Keep-alive, pipelining. Trusts its
// clients.
//
//   hangu_bench_origin PORT
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace {

constexpr size_t kBodyBytesMax = 16 * 1024 * 1024;
constexpr size_t kReadBytes = 256 * 1024;
constexpr int kEventsMax = 512;

std::string body_bytes;

struct Connection {
  std::string input;         // part of a head
  size_t body_left = 0;      // of a request, to be dropped
  bool answer_body = false;  // once it is
  std::string head;          // of the response that is being sent
  size_t body = 0;           // its body's size
  size_t sent = 0;           // of both
  bool watching_output = false;
};

void fatal(const char* what) {
  std::perror(what);
  std::exit(1);
}

size_t number_after(std::string_view text, std::string_view prefix) {
  const size_t found = text.find(prefix);
  return found == std::string_view::npos
             ? 0
             : std::strtoul(text.data() + found + prefix.size(), nullptr, 10);
}

class Origin {
 public:
  explicit Origin(uint16_t port)
      : epoll_(epoll_create1(EPOLL_CLOEXEC)),
        listener_(listen_on(port)),
        scratch_(kReadBytes) {
    watch(EPOLL_CTL_ADD, listener_, EPOLLIN);
  }

  [[noreturn]] void run() {
    std::vector<epoll_event> events(kEventsMax);
    while (true) {
      const int count = epoll_wait(epoll_, events.data(), kEventsMax, -1);
      for (int i = 0; i < count; ++i) {
        const epoll_event& event = events[static_cast<size_t>(i)];
        const int fd = event.data.fd;
        if (fd == listener_) {
          accept_all();
        } else if (!((event.events & EPOLLOUT) != 0 && !flush(fd)) &&
                   (event.events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) {
          receive(fd);
        }
      }
    }
  }

 private:
  static int listen_on(uint16_t port) {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    const int one = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
        listen(fd, 8192) != 0) {
      fatal("cannot listen");
    }
    return fd;
  }

  void watch(int operation, int fd, uint32_t events) const {
    epoll_event event{};
    event.events = events;
    event.data.fd = fd;
    epoll_ctl(epoll_, operation, fd, &event);
  }

  void accept_all() {
    while (true) {
      const int fd = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (fd < 0) {
        return;
      }
      const int one = 1;
      setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
      if (connections_.size() <= static_cast<size_t>(fd)) {
        connections_.resize(static_cast<size_t>(fd) + 1);
      }
      connections_[static_cast<size_t>(fd)] = {};
      watch(EPOLL_CTL_ADD, fd, EPOLLIN);
    }
  }

  void receive(int fd) {
    const ssize_t got = recv(fd, scratch_.data(), scratch_.size(), 0);
    if (got > 0) {
      take(fd, {scratch_.data(), static_cast<size_t>(got)});
    } else if (got == 0 || errno != EAGAIN) {
      close(fd);
    }
  }

  void take(int fd, std::string_view data) {
    Connection& connection = connections_[static_cast<size_t>(fd)];
    std::string joined;
    if (!connection.input.empty()) {
      joined = connection.input.append(data);
      connection.input.clear();
      data = joined;
    }
    while (!data.empty()) {
      if (connection.body_left != 0) {
        const size_t dropped = std::min(connection.body_left, data.size());
        connection.body_left -= dropped;
        data.remove_prefix(dropped);
        if (connection.body_left == 0 && !answer(fd, 2)) {
          return;
        }
        continue;
      }
      const size_t end = data.find("\r\n\r\n");
      if (end == std::string_view::npos) {
        connection.input = data;
        return;
      }
      const std::string_view head = data.substr(0, end);
      data.remove_prefix(end + 4);
      connection.body_left = std::max(number_after(head, "\r\nContent-Length: "),
                                      number_after(head, "\r\ncontent-length: "));
      if (connection.body_left == 0 && !answer(fd, number_after(head, "/"))) {
        return;
      }
    }
  }

  bool answer(int fd, size_t body) {
    Connection& connection = connections_[static_cast<size_t>(fd)];
    connection.body = std::min(body, kBodyBytesMax);
    connection.head =
        "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: " +
        std::to_string(connection.body) + "\r\n\r\n";
    connection.sent = 0;
    return flush(fd);
  }

  /// False when the connection is gone.
  bool flush(int fd) {
    Connection& connection = connections_[static_cast<size_t>(fd)];
    const size_t head = connection.head.size();
    const size_t total = head + connection.body;
    while (connection.sent < total) {
      iovec pieces[2];
      size_t count = 0;
      if (connection.sent < head) {
        pieces[count++] = {.iov_base = connection.head.data() + connection.sent,
                           .iov_len = head - connection.sent};
      }
      const size_t body_sent = connection.sent > head ? connection.sent - head : 0;
      pieces[count++] = {.iov_base = body_bytes.data() + body_sent,
                         .iov_len = connection.body - body_sent};
      msghdr message{};
      message.msg_iov = pieces;
      message.msg_iovlen = count;
      const ssize_t sent = sendmsg(fd, &message, MSG_NOSIGNAL);
      if (sent < 0) {
        if (errno != EAGAIN) {
          close(fd);
          return false;
        }
        set_output(fd, connection, true);
        return true;
      }
      connection.sent += static_cast<size_t>(sent);
    }
    set_output(fd, connection, false);
    return true;
  }

  void set_output(int fd, Connection& connection, bool wanted) const {
    if (connection.watching_output != wanted) {
      connection.watching_output = wanted;
      watch(EPOLL_CTL_MOD, fd, wanted ? EPOLLIN | EPOLLOUT : EPOLLIN);
    }
  }

  int epoll_;
  int listener_;
  std::vector<char> scratch_;
  std::vector<Connection> connections_;  // by descriptor
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: %s PORT\n", argv[0]);
    return 2;
  }
  std::signal(SIGPIPE, SIG_IGN);
  body_bytes.assign(kBodyBytesMax, 'x');
  Origin(static_cast<uint16_t>(std::strtoul(argv[1], nullptr, 10))).run();
}
