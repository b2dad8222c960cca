// The origin of the load runs: one thread, epoll, nothing but what a load run asks for, so that it
// is cheaper than any gateway in front of it. GET /bytes/<n> answers n bytes; any other method has
// its body read to the end and is answered with two bytes. An upgrade to WebSocket becomes a tunnel
// that echoes bytes, whatever they are. Keep-alive, pipelining, Content-Length only. Trusts its
// clients.
//
//   hangu_bench_origin PORT
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace {

constexpr size_t kBodyBytesMax = 16 * 1024 * 1024;
constexpr size_t kReadBytes = 256 * 1024;
constexpr int kEventsMax = 512;

std::string body_bytes;

struct Connection {
  std::string input;      // part of a head, or what came while a response was being sent
  size_t body_left = 0;   // of a request, to be dropped
  std::string_view head;  // of the response that is being sent
  size_t body = 0;        // its body's size
  size_t sent = 0;        // of both
  bool tunnel = false;    // echoes what comes
  bool blocked = false;   // the response waits for the client; nothing is read meanwhile
};

enum class Sent : uint8_t { kAll, kBlocked, kClosed };

void fatal(const char* what) {
  std::fprintf(stderr, "hangu_bench_origin: %s\n", what);
  std::exit(1);
}

size_t number_at(std::string_view text) {
  size_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

// The answer to the one key that idle.py sends: HAProxy checks it.
constexpr std::string_view kSwitching =
    "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Accept: BACScCJPNqyz+UBoqMH89VmURoA=\r\n\r\n";

/// The value of a field; empty without it. `field`: "\r\nname:". In any case, as gateways write it.
std::string_view value_of(std::string_view head, std::string_view field) {
  for (size_t at = head.find("\r\n"); at != std::string_view::npos;
       at = head.find("\r\n", at + 2)) {
    const std::string_view line = head.substr(at);
    if (line.size() > field.size() && strncasecmp(line.data(), field.data(), field.size()) == 0) {
      const size_t value = line.find_first_not_of(' ', field.size());
      return value == std::string_view::npos ? std::string_view{} : line.substr(value);
    }
  }
  return {};
}

/// "GET /bytes/128 HTTP/1.1": 128.
size_t asked_bytes(std::string_view head) {
  const std::string_view line = head.substr(0, head.find(" HTTP/"));
  const size_t slash = line.rfind('/');
  return slash == std::string_view::npos ? 0 : number_at(line.substr(slash + 1));
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
        } else if (!connections_[static_cast<size_t>(fd)].blocked) {
          receive(fd);
        } else if (flush(fd) == Sent::kAll) {
          take(fd, {});
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
        if (errno != EAGAIN && errno != ECONNABORTED && errno != EINTR) {
          fatal("cannot accept: too many connections?");  // else the load would just stall
        }
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
    if (got > 0 && connections_[static_cast<size_t>(fd)].tunnel) {
      if (send(fd, scratch_.data(), static_cast<size_t>(got), MSG_NOSIGNAL) != got) {
        close(fd);  // who sends more than it reads is no load of ours
      }
    } else if (got > 0) {
      take(fd, {scratch_.data(), static_cast<size_t>(got)});
    } else if (got == 0 || errno != EAGAIN) {
      close(fd);
    }
  }

  void take(int fd, std::string_view data) {
    std::string joined;
    std::string& input = connections_[static_cast<size_t>(fd)].input;
    if (!input.empty()) {
      joined = std::move(input.append(data));
      input.clear();
      data = joined;
    }
    while (!data.empty()) {
      const size_t used = take_one(connections_[static_cast<size_t>(fd)], data);
      if (used == 0) {
        input = data;
        return;
      }
      data.remove_prefix(used);
      if (connections_[static_cast<size_t>(fd)].body_left != 0) {
        continue;
      }
      const Sent sent = flush(fd);
      if (sent != Sent::kAll) {
        if (sent == Sent::kBlocked) {
          input = data;
        }
        return;
      }
    }
  }

  /// Reads a head or a piece of a body; says how much of `data` that was, 0: it is not a whole
  /// head.
  size_t take_one(Connection& connection, std::string_view data) {
    if (connection.body_left != 0) {
      const size_t dropped = std::min(connection.body_left, data.size());
      connection.body_left -= dropped;
      return dropped;
    }
    const size_t end = data.find("\r\n\r\n");
    if (end == std::string_view::npos) {
      return 0;
    }
    const std::string_view head = data.substr(0, end);
    const bool get = head.starts_with("GET ");
    connection.sent = 0;
    if (!value_of(head, "\r\nupgrade:").empty()) {
      connection.tunnel = true;
      connection.body = 0;
      connection.head = kSwitching;
      return end + 4;
    }
    if (!get && head.find("chunked") != std::string_view::npos) {
      fatal("chunked bodies are not read here");
    }
    connection.body_left = get ? 0 : number_at(value_of(head, "\r\ncontent-length:"));
    connection.body = get ? std::min(asked_bytes(head), kBodyBytesMax) : 2;
    connection.head = response_head(connection.body);
    return end + 4;
  }

  std::string_view response_head(size_t body) {
    std::string& head = heads_[body];
    if (head.empty()) {
      head = "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: " +
             std::to_string(body) + "\r\n\r\n";
    }
    return head;
  }

  Sent flush(int fd) {
    Connection& connection = connections_[static_cast<size_t>(fd)];
    const size_t head = connection.head.size();
    const size_t total = head + connection.body;
    while (connection.sent < total) {
      const size_t head_sent = std::min(connection.sent, head);
      const size_t body_sent = connection.sent - head_sent;
      iovec pieces[2] = {
          {.iov_base = const_cast<char*>(connection.head.data()) + head_sent,
           .iov_len = head - head_sent},
          {.iov_base = body_bytes.data() + body_sent, .iov_len = connection.body - body_sent}};
      msghdr message{};
      message.msg_iov = pieces;
      message.msg_iovlen = 2;
      const ssize_t sent = sendmsg(fd, &message, MSG_NOSIGNAL);
      if (sent < 0 && errno != EAGAIN) {
        close(fd);
        return Sent::kClosed;
      }
      if (sent < 0) {
        set_blocked(fd, connection, true);
        return Sent::kBlocked;
      }
      connection.sent += static_cast<size_t>(sent);
    }
    set_blocked(fd, connection, false);
    return Sent::kAll;
  }

  void set_blocked(int fd, Connection& connection, bool blocked) const {
    if (connection.blocked != blocked) {
      connection.blocked = blocked;
      watch(EPOLL_CTL_MOD, fd, blocked ? EPOLLOUT : EPOLLIN);
    }
  }

  int epoll_;
  int listener_;
  std::vector<char> scratch_;
  std::vector<Connection> connections_;            // by descriptor
  std::unordered_map<size_t, std::string> heads_;  // by the body's size
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
