// The epoll backend, for kernels and containers without io_uring: edge-triggered, every socket
// registered once, sends tried at once, receives into one hot block as long as nobody keeps it.

#include <netinet/in.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>
#include <vector>

#include "event/backend.h"

namespace hangu::event {
namespace {

constexpr int kEventsMax = 1024;
// Sockets of clients that are read in one turn. Those that we connected are all read first: to end
// what was begun before more is begun keeps few requests, and so little memory, in use.
constexpr size_t kClientsMax = 32;
constexpr uint32_t kNoSlot = UINT32_MAX;
constexpr int kAcceptsMax = 64;                    // a wake-up; then others get their turn
constexpr uint32_t kReceiveBytesMax = 256 * 1024;  // a socket and turn

enum class Kind : uint8_t { kWake, kAccept, kSocket };

uint64_t pack(Kind kind, uint32_t generation, uint32_t index) {
  return (uint64_t{static_cast<uint8_t>(kind)} << 56) | (uint64_t{generation & 0xffffffU} << 32) |
         index;
}

struct Socket {
  SocketHandler* handler = nullptr;
  int fd = -1;
  uint32_t generation = 0;
  uint32_t next_free = kNoSlot;
  uint32_t receive_limit = 0;
  bool receive_wanted = false;
  bool readable_wanted = false;  // on_readable is due with the next bytes
  bool readable = false;         // as of the last edge
  bool queued = false;           // in ready_ or ready_clients_
  bool send_blocked = false;     // a send waits for the next edge
  bool connecting = false;
  bool outgoing = false;  // we connected it
  bool hangup = false;    // FIN or an error is behind the data: read on to the end
  bool quiet = false;     // asked for: another process may have it, too
  bool closing = false;
};

struct Acceptor {
  int fd = -1;
  AcceptHandler* handler = nullptr;
};

class EpollBackend final : public Backend {
 public:
  EpollBackend(buffer::BlockPool& pool, int wake_fd)
      : pool_(pool),
        wake_fd_(wake_fd),
        epoll_(epoll_create1(EPOLL_CLOEXEC)),
        events_(kEventsMax) {}

  ~EpollBackend() override;

  Result<void> init() {
    epoll_event event{.events = EPOLLIN, .data = {.u64 = pack(Kind::kWake, 0, 0)}};
    if (epoll_ < 0 || epoll_ctl(epoll_, EPOLL_CTL_ADD, wake_fd_, &event) != 0) {
      return fail(internal_error(Errc::kSystem, "epoll set-up failed", errno));
    }
    return {};
  }

  std::string_view name() const override { return "epoll"; }

  SocketId open(int fd, SocketHandler& handler) override;
  void connect(SocketId socket, const sockaddr* address, socklen_t size) override;
  void start_receive(SocketId socket) override;

  void stop_receive(SocketId socket) override { sockets_[socket].receive_wanted = false; }

  bool quiesce(SocketId socket) override {
    stop_receive(socket);
    sockets_[socket].quiet = true;
    return true;
  }

  SendResult send(SocketId socket, const iovec* vector, size_t count) override;
  ssize_t receive_into(SocketId socket, Pipe& pipe, size_t bytes) override;

  void limit_receive(SocketId socket, uint32_t bytes) override {
    sockets_[socket].receive_limit = bytes;
  }

  void wait_readable(SocketId socket, Waiting waiting) override;
  SendResult send_from(SocketId socket, Pipe& pipe) override;

  void shutdown_send(SocketId socket) override { ::shutdown(sockets_[socket].fd, SHUT_WR); }

  void close(SocketId socket) override;

  int fd(SocketId socket) const override { return sockets_[socket].fd; }

  void accept(int fd, AcceptHandler& handler) override;
  void stop_accept(int fd) override;

  void forget_accept(AcceptHandler&) override {}  // nothing is under way

  void wait(Duration timeout) override;
  void dispatch() override;
  void cancel_all() override;

 private:
  void on_event(const epoll_event& event);
  void on_socket_event(SocketId id, uint32_t events);
  void accept_some(uint32_t index);
  void receive(SocketId id);
  bool receive_once(SocketId id, uint32_t& total);
  void make_ready(SocketId id);
  void serve_working();
  void finish_closed();

  buffer::BlockPool& pool_;
  int wake_fd_;
  int epoll_;
  std::vector<epoll_event> events_;
  int event_count_ = 0;
  std::vector<Socket> sockets_;
  uint32_t free_slot_ = kNoSlot;
  std::vector<Acceptor> acceptors_;
  std::vector<SocketId> ready_;  // readable, with somebody who wants to know
  std::vector<SocketId> ready_clients_;
  std::vector<SocketId> working_;  // what the turn in progress serves
  std::vector<SocketId> starved_;  // found no free block
  std::vector<SocketId> closed_;   // on_closed is due
  std::vector<std::pair<SocketId, int>> connect_failures_;
  buffer::BlockRef scratch_;
};

EpollBackend::~EpollBackend() {
  for (const Socket& socket : sockets_) {
    if (socket.handler != nullptr && !socket.closing) {
      ::close(socket.fd);
    }
  }
  if (epoll_ >= 0) {
    ::close(epoll_);
  }
}

SocketId EpollBackend::open(int fd, SocketHandler& handler) {
  if (free_slot_ == kNoSlot) {
    sockets_.emplace_back();
    free_slot_ = static_cast<uint32_t>(sockets_.size() - 1);
  }
  const SocketId id = free_slot_;
  Socket& socket = sockets_[id];
  free_slot_ = socket.next_free;
  const uint32_t generation = (socket.generation + 1) & 0xffffffU;
  socket = Socket{};
  socket.generation = generation;
  socket.fd = fd;
  socket.handler = &handler;
  ++open_sockets_;
  epoll_event event{.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
                    .data = {.u64 = pack(Kind::kSocket, generation, id)}};
  const bool added = epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) == 0;
  HANGU_ASSERT(added);
  return id;
}

void EpollBackend::connect(SocketId id, const sockaddr* address, socklen_t size) {
  // The outcome is reported from the next dispatch, never from within this call: an edge follows.
  sockets_[id].connecting = true;
  sockets_[id].outgoing = true;
  if (::connect(sockets_[id].fd, address, size) != 0 && errno != EINPROGRESS) {
    connect_failures_.emplace_back(id, errno);
  }
}

void EpollBackend::start_receive(SocketId id) {
  Socket& socket = sockets_[id];
  socket.receive_wanted = true;
  socket.readable_wanted = false;
  socket.quiet = false;
  if (socket.readable) {
    make_ready(id);
  }
}

void EpollBackend::make_ready(SocketId id) {
  Socket& socket = sockets_[id];
  if (!socket.queued) {
    socket.queued = true;
    (socket.outgoing ? ready_ : ready_clients_).push_back(id);
  }
}

SendResult EpollBackend::send(SocketId id, const iovec* vector, size_t count) {
  Socket& socket = sockets_[id];
  msghdr message{};
  message.msg_iov = const_cast<iovec*>(vector);
  message.msg_iovlen = count;
  size_t total = 0;
  for (size_t i = 0; i < count; ++i) {
    total += vector[i].iov_len;
  }
  ssize_t sent = 0;
  do {
    sent = count == 1 ? ::send(socket.fd, vector->iov_base, vector->iov_len, MSG_NOSIGNAL)
                      : ::sendmsg(socket.fd, &message, MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  ++stats_.sends;
  if (sent < 0 && errno != EAGAIN && errno != ENOTCONN) {
    return {.error = errno};
  }
  // A short send means a full socket buffer: an edge follows when there is room again.
  const auto bytes = static_cast<size_t>(std::max<ssize_t>(sent, 0));
  socket.send_blocked = bytes < total;
  return {.pending = socket.send_blocked, .bytes = bytes};
}

ssize_t EpollBackend::receive_into(SocketId id, Pipe& pipe, size_t bytes) {
  Socket& socket = sockets_[id];
  const ssize_t got = pipe.fill_from(socket.fd, bytes);
  if (got > 0) {
    stats_.spliced_bytes += static_cast<uint64_t>(got);
  }
  return got;
}

void EpollBackend::wait_readable(SocketId id, Waiting waiting) {
  Socket& socket = sockets_[id];
  // A pipe that is full leaves bytes of which no new edge would tell; so does a hang-up.
  if (waiting == Waiting::kNone && !socket.hangup) {
    socket.readable = false;
  }
  socket.receive_wanted = false;
  socket.readable_wanted = true;
  if (socket.readable) {
    make_ready(id);
  }
}

SendResult EpollBackend::send_from(SocketId id, Pipe& pipe) {
  const ssize_t sent = pipe.drain_to(sockets_[id].fd);
  if (sent < 0 && sent != -EAGAIN) {
    return {.error = static_cast<int>(-sent)};
  }
  sockets_[id].send_blocked = pipe.bytes() != 0;
  return {.pending = sockets_[id].send_blocked,
          .bytes = static_cast<size_t>(std::max<ssize_t>(sent, 0))};
}

void EpollBackend::close(SocketId id) {
  Socket& socket = sockets_[id];
  HANGU_ASSERT(!socket.closing);
  socket.closing = true;
  socket.receive_wanted = false;
  ++closing_sockets_;
  if (socket.quiet) {
    epoll_ctl(epoll_, EPOLL_CTL_DEL, socket.fd, nullptr);
  }
  ::close(socket.fd);  // leaves the epoll set too, unless another process has the socket
  closed_.push_back(id);
}

void EpollBackend::accept(int fd, AcceptHandler& handler) {
  auto free = std::find_if(acceptors_.begin(), acceptors_.end(),
                           [fd](const Acceptor& a) { return a.fd == fd || a.fd == -1; });
  const bool known = free != acceptors_.end() && free->fd == fd;
  if (free == acceptors_.end()) {
    free = acceptors_.insert(acceptors_.end(), Acceptor{});
  }
  *free = {.fd = fd, .handler = &handler};
  if (!known) {
    const auto index = static_cast<uint32_t>(free - acceptors_.begin());
    epoll_event event{.events = EPOLLIN | EPOLLEXCLUSIVE,
                      .data = {.u64 = pack(Kind::kAccept, 0, index)}};
    const bool added = epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) == 0;
    HANGU_ASSERT(added);
  }
}

void EpollBackend::stop_accept(int fd) {
  for (Acceptor& acceptor : acceptors_) {
    if (acceptor.fd == fd) {
      epoll_ctl(epoll_, EPOLL_CTL_DEL, fd, nullptr);
      acceptor = {};
    }
  }
}

void EpollBackend::wait(Duration timeout) {
  int milliseconds = -1;
  if (timeout >= Duration::zero()) {
    milliseconds =
        static_cast<int>(std::min<int64_t>((timeout.count() + 999'999) / 1'000'000, 3'600'000));
  }
  if (!pool_.exhausted()) {
    for (const SocketId id : starved_) {
      make_ready(id);
    }
    starved_.clear();
  }
  if (!ready_.empty() || !ready_clients_.empty() || !closed_.empty() ||
      !connect_failures_.empty()) {
    milliseconds = 0;
  }
  event_count_ = epoll_wait(epoll_, events_.data(), kEventsMax, milliseconds);
  ++stats_.turns;
}

void EpollBackend::dispatch() {
  while (!connect_failures_.empty()) {
    const auto [id, error] = connect_failures_.back();
    connect_failures_.pop_back();
    if (!sockets_[id].closing && sockets_[id].connecting) {
      sockets_[id].connecting = false;
      sockets_[id].handler->on_connect(error);
    }
  }
  for (int i = 0; i < event_count_; ++i) {
    on_event(events_[static_cast<size_t>(i)]);
  }
  working_.swap(ready_);
  serve_working();
  const auto begin = ready_clients_.begin();
  const auto end = begin + static_cast<ptrdiff_t>(std::min(ready_clients_.size(), kClientsMax));
  working_.assign(begin, end);
  ready_clients_.erase(begin, end);
  serve_working();
  finish_closed();
}

void EpollBackend::serve_working() {
  for (const SocketId id : working_) {
    Socket& socket = sockets_[id];
    socket.queued = false;
    if (std::exchange(socket.readable_wanted, false) && !socket.closing) {
      socket.handler->on_readable();
    }
    receive(id);
  }
  working_.clear();
}

/// Slots are given free only here: no event of a turn can name a new socket by mistake.
void EpollBackend::finish_closed() {
  std::vector<SocketId> closed;
  closed.swap(closed_);
  for (const SocketId id : closed) {
    Socket& socket = sockets_[id];
    SocketHandler* handler = socket.handler;
    socket.fd = -1;
    socket.handler = nullptr;
    socket.next_free = free_slot_;
    free_slot_ = id;
    --open_sockets_;
    --closing_sockets_;
    handler->on_closed();
  }
}

void EpollBackend::cancel_all() {
  for (SocketId id = 0; id < sockets_.size(); ++id) {
    if (sockets_[id].handler != nullptr && !sockets_[id].closing) {
      sockets_[id].handler->on_receive_end(ECANCELED);
    }
  }
}

void EpollBackend::on_event(const epoll_event& event) {
  const auto kind = static_cast<Kind>(event.data.u64 >> 56);
  const auto index = static_cast<uint32_t>(event.data.u64);
  const auto generation = static_cast<uint32_t>(event.data.u64 >> 32) & 0xffffffU;
  switch (kind) {
    case Kind::kWake: {
      uint64_t count = 0;
      [[maybe_unused]] const ssize_t got = ::read(wake_fd_, &count, sizeof count);
      break;
    }
    case Kind::kAccept: accept_some(index); break;
    case Kind::kSocket:
      if (sockets_[index].generation == generation && !sockets_[index].closing) {
        on_socket_event(index, event.events);
      }
      break;
  }
}

void EpollBackend::on_socket_event(SocketId id, uint32_t events) {
  if (sockets_[id].connecting && (events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) != 0) {
    sockets_[id].connecting = false;
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(sockets_[id].fd, SOL_SOCKET, SO_ERROR, &error, &size);
    sockets_[id].handler->on_connect(error);
  }
  if (sockets_[id].closing) {
    return;
  }
  if ((events & (EPOLLOUT | EPOLLERR | EPOLLHUP)) != 0 && sockets_[id].send_blocked) {
    sockets_[id].send_blocked = false;
    sockets_[id].handler->on_send(0, 0);
  }
  Socket& socket = sockets_[id];
  if ((events & (EPOLLIN | EPOLLRDHUP | EPOLLERR | EPOLLHUP)) != 0 && !socket.closing) {
    socket.readable = true;
    socket.hangup = socket.hangup || (events & (EPOLLRDHUP | EPOLLERR | EPOLLHUP)) != 0;
    if (socket.receive_wanted || socket.readable_wanted) {
      make_ready(id);
    }
  }
}

void EpollBackend::accept_some(uint32_t index) {
  for (int i = 0; i < kAcceptsMax; ++i) {
    const Acceptor acceptor = acceptors_[index];
    if (acceptor.handler == nullptr) {
      return;
    }
    sockaddr_storage storage;
    auto* const peer = reinterpret_cast<sockaddr*>(&storage);
    socklen_t size = sizeof storage;
    const int fd = accept4(acceptor.fd, peer, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
      ++stats_.accepts;
      acceptor.handler->on_accept(fd, peer, size);
    } else if (errno == EAGAIN) {
      return;
    } else if (!accept_error_is_transient(errno)) {
      acceptor.handler->on_accept_error(errno);
      return;
    }
  }
}

void EpollBackend::receive(SocketId id) {
  uint32_t total = 0;
  while (sockets_[id].receive_wanted && !sockets_[id].closing) {
    if (!scratch_ || !scratch_->exclusive()) {
      scratch_ = pool_.acquire();
      if (!scratch_) {  // blocks come back as sends complete
        ++stats_.starved_receives;
        starved_.push_back(id);
        return;
      }
    }
    if (!receive_once(id, total)) {
      return;
    }
    if (total >= kReceiveBytesMax) {
      return make_ready(id);
    }
  }
}

/// Whether there may be more to receive now.
bool EpollBackend::receive_once(SocketId id, uint32_t& total) {
  const uint32_t limit = sockets_[id].receive_limit;
  const uint32_t size = limit != 0 ? std::min(limit, scratch_->capacity()) : scratch_->capacity();
  const ssize_t got = ::recv(sockets_[id].fd, scratch_->data(), size, 0);
  if (got > 0) {
    const auto bytes = static_cast<uint32_t>(got);
    ++stats_.receives;
    stats_.receive_bytes += bytes;
    total += bytes;
    // With a hang-up pending no new edge would come: read on until it shows.
    const bool drained = bytes < size && !sockets_[id].hangup;
    if (drained) {
      sockets_[id].readable = false;  // a later arrival makes a new edge
    }
    sockets_[id].handler->on_receive(scratch_, bytes);
    return !drained;
  }
  if (got < 0 && errno == EINTR) {
    return true;
  }
  const int error = got == 0 ? 0 : errno;
  if (error == EAGAIN) {
    sockets_[id].readable = false;
  } else {
    sockets_[id].receive_wanted = false;  // stays readable: the end shows again if asked for again
    sockets_[id].handler->on_receive_end(error);
  }
  return false;
}

}  // namespace

Result<std::unique_ptr<Backend>> make_epoll_backend(buffer::BlockPool& receive_blocks,
                                                    int wake_fd) {
  auto backend = std::make_unique<EpollBackend>(receive_blocks, wake_fd);
  if (auto ready = backend->init(); !ready) {
    return fail(ready.error());
  }
  return std::unique_ptr<Backend>(std::move(backend));
}

}  // namespace hangu::event
