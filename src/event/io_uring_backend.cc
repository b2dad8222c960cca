// The io_uring backend: multishot accepts and receives, one send in flight a socket, everything a
// turn asks for submitted with the one system call that also waits. Every operation is tagged with
// its socket's slot and generation; a slot is free again only when the last of its completions
// came.

#include <netinet/in.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <deque>
#include <utility>
#include <vector>

#include "hangu/base/assert.h"

#include "event/backend.h"
#include "event/receive_ring.h"
#include "event/ring.h"

namespace hangu::event {
namespace {

constexpr unsigned kSubmissions = 512;
// The kernel keeps what does not fit and hands it over later; a larger queue would only be walked
// through in colder memory.
constexpr unsigned kCompletions = 4096;
constexpr uint32_t kNoSlot = UINT32_MAX;
constexpr int kVectorMax = 64;
// What one socket may take before the others have their turn: a bulk sender would else fill dozens
// of blocks at once, which have left the cache before they are sent on.
constexpr uint32_t kReceiveBytesMax = 64 * 1024;

enum class Op : uint8_t {
  kWake,
  kAccept,
  kReceive,
  kReadable,
  kSend,
  kWritable,
  kConnect,
  kCancel,
  kCancelAccept,
  kClose,
  kProbe
};

struct Tag {
  Op op;
  uint32_t generation;  // 24 bits
  uint32_t slot;

  uint64_t pack() const {
    return (uint64_t{static_cast<uint8_t>(op)} << 56) | (uint64_t{generation & 0xffffffU} << 32) |
           slot;
  }

  static Tag unpack(uint64_t data) {
    return {static_cast<Op>(data >> 56), static_cast<uint32_t>(data >> 32) & 0xffffffU,
            static_cast<uint32_t>(data)};
  }
};

struct Socket {
  SocketHandler* handler = nullptr;
  int fd = -1;
  uint32_t generation = 0;
  uint32_t next_free = kNoSlot;
  uint32_t receive_limit = 0;
  uint16_t outstanding = 0;  // operations whose last completion has not come
  bool receive_armed = false;
  bool receive_wanted = false;
  bool receive_cancelled = false;
  bool readable_wanted = false;  // on_readable is due once no receive is armed any more
  bool readable_armed = false;
  bool quiet_wanted = false;  // on_quiet is due once no receive is armed any more
  bool send_pending = false;
  bool writable_armed = false;
  bool connect_pending = false;
  bool starved = false;  // waits for a turn with published blocks
  bool closing = false;
};

struct Acceptor {
  int fd = -1;
  AcceptHandler* handler = nullptr;  // null: nobody wants what is accepted
  bool armed = false;
  bool stopping = false;  // the last completion is to come
};

class IoUringBackend final : public Backend {
 public:
  explicit IoUringBackend(buffer::BlockPool& pool, int wake_fd)
      : receive_ring_(pool),
        wake_fd_(wake_fd) {}

  ~IoUringBackend() override;

  Result<void> init();

  std::string_view name() const override { return "io_uring"; }

  SocketId open(int fd, SocketHandler& handler) override;
  void connect(SocketId socket, const sockaddr* address, socklen_t size) override;
  void start_receive(SocketId socket) override;
  void stop_receive(SocketId socket) override;
  bool quiesce(SocketId socket) override;
  SendResult send(SocketId socket, const iovec* vector, size_t count) override;
  ssize_t receive_into(SocketId socket, Pipe& pipe, size_t bytes) override;

  void limit_receive(SocketId socket, uint32_t bytes) override {
    sockets_[socket].receive_limit = bytes;
  }

  void wait_readable(SocketId socket, Waiting waiting) override;
  SendResult send_from(SocketId socket, Pipe& pipe) override;
  void shutdown_send(SocketId socket) override;
  void close(SocketId socket) override;

  int fd(SocketId socket) const override { return sockets_[socket].fd; }

  void accept(int fd, AcceptHandler& handler) override;
  void stop_accept(int fd) override;
  void forget_accept(AcceptHandler& handler) override;
  void wait(Duration timeout) override;
  void dispatch() override;
  void cancel_all() override;

 private:
  /// A sendmsg that the kernel reads when it is submitted.
  struct Message {
    msghdr header;
    iovec vector[kVectorMax];
  };

  bool probe_multishot_receive();
  static void prepare_receive(io_uring_sqe* sqe, int fd, uint32_t bytes_max);
  io_uring_sqe* prepare(SocketId socket);

  uint64_t tag(SocketId socket, Op op) const {
    return Tag{op, sockets_[socket].generation, socket}.pack();
  }

  void arm_wake();
  void arm_accept(size_t index);
  void cancel_accept(size_t index);
  void arm_receive(SocketId socket);
  void arm_readable(SocketId socket);
  void arm_poll(SocketId socket, Op op, unsigned events);
  void cancel(SocketId socket, Op op);
  void cancel_receive(SocketId socket);
  void arm_starved();

  void complete(const io_uring_cqe& cqe);
  void complete_accept(uint32_t index, const io_uring_cqe& cqe);
  void complete_receive(SocketId socket, const io_uring_cqe& cqe);
  void complete_other(SocketId socket, Op op, int result);
  void end_receive(SocketId socket, int result);
  void finish_operation(SocketId socket);

  Ring ring_;
  ReceiveRing receive_ring_;
  uint32_t receive_bytes_max_ = 0;
  int wake_fd_;
  uint64_t wake_count_ = 0;
  std::vector<Socket> sockets_;
  uint32_t free_slot_ = kNoSlot;
  std::vector<Acceptor> acceptors_;
  std::vector<SocketId> starved_;
  // Read by the kernel at the next submission, then free again.
  std::vector<std::unique_ptr<Message>> messages_;
  size_t messages_used_ = 0;
  std::deque<sockaddr_storage> addresses_;
};

IoUringBackend::~IoUringBackend() {
  io_uring_sync_cancel_reg everything{};
  everything.flags = IORING_ASYNC_CANCEL_ANY | IORING_ASYNC_CANCEL_ALL;
  everything.timeout = {.tv_sec = 1, .tv_nsec = 0};
  ring_.do_register(IORING_REGISTER_SYNC_CANCEL, &everything, 1);
  receive_ring_.close();
  ring_.close();
  for (const Socket& socket : sockets_) {
    if (socket.handler != nullptr && !socket.closing) {
      ::close(socket.fd);
    }
  }
}

Result<void> IoUringBackend::init() {
  if (auto opened = ring_.open(kSubmissions, kCompletions); !opened) {
    return opened;
  }
  if (auto opened = receive_ring_.open(ring_); !opened) {
    return opened;
  }
  receive_bytes_max_ = kReceiveBytesMax;
  if (!probe_multishot_receive()) {
    receive_bytes_max_ = 0;  // a kernel before 6.17
    if (!probe_multishot_receive()) {
      return fail(internal_error(Errc::kSystem, io_uring_refusal(EINVAL), EINVAL));
    }
  }
  arm_wake();
  return {};
}

/// Receives one byte the way all will be received: no feature flag tells whether the kernel can.
bool IoUringBackend::probe_multishot_receive() {
  int pair[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
    return false;
  }
  [[maybe_unused]] const ssize_t written = ::write(pair[1], "", 1);
  ::close(pair[1]);  // ends the receive
  io_uring_sqe* sqe = ring_.next_entry();
  prepare_receive(sqe, pair[0], receive_bytes_max_);
  sqe->user_data = Tag{Op::kProbe, 0, 0}.pack();
  bool received = false;
  bool ended = false;
  for (int attempt = 0; attempt < 10 && !ended; ++attempt) {
    ring_.submit_and_wait(std::chrono::milliseconds(100));
    ring_.reap([&](const io_uring_cqe& cqe) {
      ended = (cqe.flags & IORING_CQE_F_MORE) == 0;
      if ((cqe.flags & IORING_CQE_F_BUFFER) != 0) {
        receive_ring_.take(cqe.flags >> IORING_CQE_BUFFER_SHIFT, 1);
        received = true;
      }
    });
  }
  ::close(pair[0]);
  return received && ended;
}

// --- submissions ------------------------------------------------------------------------------

io_uring_sqe* IoUringBackend::prepare(SocketId socket) {
  ++sockets_[socket].outstanding;
  return ring_.next_entry();
}

void IoUringBackend::arm_wake() {
  io_uring_sqe* sqe = ring_.next_entry();
  io_uring_prep_read(sqe, wake_fd_, &wake_count_, sizeof wake_count_, 0);
  sqe->user_data = Tag{Op::kWake, 0, 0}.pack();
}

SocketId IoUringBackend::open(int fd, SocketHandler& handler) {
  if (free_slot_ == kNoSlot) {
    sockets_.emplace_back();
    free_slot_ = static_cast<uint32_t>(sockets_.size() - 1);
  }
  const SocketId id = free_slot_;
  Socket& socket = sockets_[id];
  free_slot_ = socket.next_free;
  const uint32_t generation = socket.generation + 1;
  socket = Socket{};
  socket.generation = generation & 0xffffffU;
  socket.fd = fd;
  socket.handler = &handler;
  ++open_sockets_;
  return id;
}

void IoUringBackend::connect(SocketId id, const sockaddr* address, socklen_t size) {
  sockaddr_storage& stored = addresses_.emplace_back();
  std::memcpy(&stored, address, size);
  sockets_[id].connect_pending = true;
  io_uring_sqe* sqe = prepare(id);
  io_uring_prep_connect(sqe, sockets_[id].fd, reinterpret_cast<const sockaddr*>(&stored), size);
  sqe->user_data = tag(id, Op::kConnect);
}

void IoUringBackend::start_receive(SocketId id) {
  Socket& socket = sockets_[id];
  socket.receive_wanted = true;
  socket.readable_wanted = false;
  socket.quiet_wanted = false;
  if (!socket.receive_armed && !socket.closing && !socket.starved) {
    arm_receive(id);
  }
}

void IoUringBackend::arm_receive(SocketId id) {
  io_uring_sqe* sqe = prepare(id);
  Socket& socket = sockets_[id];
  socket.receive_armed = true;
  socket.receive_cancelled = false;
  const bool limited = socket.receive_limit != 0 && receive_bytes_max_ != 0;
  prepare_receive(sqe, socket.fd, limited ? socket.receive_limit : receive_bytes_max_);
  sqe->user_data = tag(id, Op::kReceive);
}

void IoUringBackend::prepare_receive(io_uring_sqe* sqe, int fd, uint32_t bytes_max) {
  io_uring_prep_recv(sqe, fd, nullptr, bytes_max, 0);
  sqe->ioprio |= IORING_RECV_MULTISHOT;
  sqe->flags |= IOSQE_BUFFER_SELECT;
  sqe->buf_group = ReceiveRing::kGroup;
  sqe->file_index = bytes_max;  // `optlen` in newer headers: of all its receives, `len` of each
}

/// Only the next bytes cancel the receive: most pauses end before any come.
void IoUringBackend::stop_receive(SocketId id) {
  sockets_[id].receive_wanted = false;
}

bool IoUringBackend::quiesce(SocketId id) {
  Socket& socket = sockets_[id];
  socket.receive_wanted = false;
  if (!socket.receive_armed) {
    return true;
  }
  socket.quiet_wanted = true;
  cancel_receive(id);
  return false;
}

/// Its polls cost a completion each, its splices are system calls of their own: for bodies so large
/// that what they save outweighs it.
ssize_t IoUringBackend::receive_into(SocketId id, Pipe& pipe, size_t bytes) {
  const ssize_t got = pipe.fill_from(sockets_[id].fd, bytes);
  stats_.spliced_bytes += static_cast<uint64_t>(std::max<ssize_t>(got, 0));
  return got;
}

void IoUringBackend::wait_readable(SocketId id, Waiting waiting) {
  Socket& socket = sockets_[id];
  socket.receive_wanted = false;
  socket.readable_wanted = true;
  if (socket.receive_armed) {
    cancel_receive(id);
  } else if (waiting == Waiting::kSome) {
    socket.readable_wanted = false;
    socket.handler->on_readable();
  } else {
    arm_readable(id);  // completes at once if there is something
  }
}

void IoUringBackend::arm_readable(SocketId id) {
  Socket& socket = sockets_[id];
  if (!socket.readable_armed && !socket.closing) {
    socket.readable_armed = true;
    arm_poll(id, Op::kReadable, POLLIN | POLLRDHUP);
  }
}

void IoUringBackend::arm_poll(SocketId id, Op op, unsigned events) {
  io_uring_sqe* sqe = prepare(id);
  io_uring_prep_poll_add(sqe, sockets_[id].fd, events);
  sqe->user_data = tag(id, op);
}

SendResult IoUringBackend::send_from(SocketId id, Pipe& pipe) {
  const ssize_t sent = pipe.drain_to(sockets_[id].fd);
  if (sent < 0 && sent != -EAGAIN) {
    return {.error = static_cast<int>(-sent)};
  }
  const bool pending = pipe.bytes() != 0;
  if (pending) {
    sockets_[id].writable_armed = true;
    arm_poll(id, Op::kWritable, POLLOUT);
  }
  return {.pending = pending, .bytes = static_cast<size_t>(std::max<ssize_t>(sent, 0))};
}

void IoUringBackend::cancel_receive(SocketId id) {
  if (!std::exchange(sockets_[id].receive_cancelled, true)) {
    cancel(id, Op::kReceive);
  }
}

/// By tag, which the kernel finds at once; by descriptor it would look at every socket's
/// operations.
void IoUringBackend::cancel(SocketId id, Op op) {
  io_uring_sqe* sqe = prepare(id);
  io_uring_prep_cancel64(sqe, tag(id, op), 0);
  sqe->user_data = tag(id, Op::kCancel);
}

SendResult IoUringBackend::send(SocketId id, const iovec* vector, size_t count) {
  constexpr int kFlags = MSG_NOSIGNAL | MSG_WAITALL;
  io_uring_sqe* sqe = prepare(id);
  sockets_[id].send_pending = true;
  const int fd = sockets_[id].fd;
  if (count == 1) {
    io_uring_prep_send(sqe, fd, vector->iov_base, vector->iov_len, kFlags);
  } else {
    if (messages_used_ == messages_.size()) {
      messages_.push_back(std::make_unique<Message>());
    }
    Message& message = *messages_[messages_used_++];
    HANGU_ASSERT(count <= kVectorMax);
    std::copy_n(vector, count, message.vector);
    message.header = {};
    message.header.msg_iov = message.vector;
    message.header.msg_iovlen = count;
    io_uring_prep_sendmsg(sqe, fd, &message.header, kFlags);
  }
  sqe->user_data = tag(id, Op::kSend);
  ++stats_.sends;
  return {.pending = true};
}

void IoUringBackend::shutdown_send(SocketId id) {
  ::shutdown(sockets_[id].fd, SHUT_WR);
}

void IoUringBackend::close(SocketId id) {
  HANGU_ASSERT(!sockets_[id].closing);
  sockets_[id].closing = true;
  sockets_[id].receive_wanted = false;
  ++closing_sockets_;
  // Closing the descriptor alone does not end what is in flight.
  if (sockets_[id].receive_armed) {
    cancel_receive(id);
  }
  if (sockets_[id].readable_armed) {
    cancel(id, Op::kReadable);
  }
  if (sockets_[id].send_pending) {
    cancel(id, Op::kSend);
  }
  if (sockets_[id].writable_armed) {
    cancel(id, Op::kWritable);
  }
  if (sockets_[id].connect_pending) {
    cancel(id, Op::kConnect);
  }
  io_uring_sqe* sqe = prepare(id);
  io_uring_prep_close(sqe, sockets_[id].fd);
  sqe->user_data = tag(id, Op::kClose);
}

void IoUringBackend::accept(int fd, AcceptHandler& handler) {
  auto free = std::find_if(acceptors_.begin(), acceptors_.end(),
                           [](const Acceptor& a) { return a.handler == nullptr && !a.armed; });
  if (free == acceptors_.end()) {
    free = acceptors_.insert(acceptors_.end(), Acceptor{});
  }
  *free = {.fd = fd, .handler = &handler};
  arm_accept(static_cast<size_t>(free - acceptors_.begin()));
}

void IoUringBackend::arm_accept(size_t index) {
  io_uring_sqe* sqe = ring_.next_entry();
  Acceptor& acceptor = acceptors_[index];
  acceptor.armed = true;
  io_uring_prep_multishot_accept(sqe, acceptor.fd, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  sqe->user_data = Tag{Op::kAccept, 0, static_cast<uint32_t>(index)}.pack();
}

void IoUringBackend::stop_accept(int fd) {
  for (size_t i = 0; i < acceptors_.size(); ++i) {
    Acceptor& acceptor = acceptors_[i];
    if (acceptor.fd == fd && acceptor.handler != nullptr && !acceptor.stopping) {
      acceptor.fd = -1;
      if (!acceptor.armed) {
        acceptor.handler = nullptr;
        continue;
      }
      acceptor.stopping = true;
      cancel_accept(i);
      ring_.submit();  // the caller may close the descriptor right away
    }
  }
}

void IoUringBackend::cancel_accept(size_t index) {
  const auto slot = static_cast<uint32_t>(index);
  io_uring_sqe* sqe = ring_.next_entry();
  io_uring_prep_cancel64(sqe, Tag{Op::kAccept, 0, slot}.pack(), 0);
  sqe->user_data = Tag{Op::kCancelAccept, 0, slot}.pack();
}

void IoUringBackend::forget_accept(AcceptHandler& handler) {
  for (Acceptor& acceptor : acceptors_) {
    if (acceptor.stopping && acceptor.handler == &handler) {
      acceptor.handler = nullptr;
    }
  }
}

// --- the turn ---------------------------------------------------------------------------------

void IoUringBackend::wait(Duration timeout) {
  receive_ring_.top_up();
  if (!starved_.empty()) {
    arm_starved();
  }
  ring_.submit_and_wait(timeout);
  messages_used_ = 0;
  addresses_.clear();
  ++stats_.turns;
}

/// Arms as many as there are blocks; the others wait for blocks to come back.
void IoUringBackend::arm_starved() {
  const size_t count = std::min<size_t>(starved_.size(), receive_ring_.published());
  for (size_t i = 0; i < count; ++i) {
    const SocketId id = starved_[i];
    Socket& socket = sockets_[id];
    socket.starved = false;
    if (socket.receive_wanted && !socket.receive_armed && !socket.closing) {
      arm_receive(id);
    }
  }
  starved_.erase(starved_.begin(), starved_.begin() + static_cast<ptrdiff_t>(count));
}

void IoUringBackend::dispatch() {
  ring_.reap([this](const io_uring_cqe& cqe) { complete(cqe); });
}

void IoUringBackend::cancel_all() {
  for (SocketId id = 0; id < sockets_.size(); ++id) {
    if (sockets_[id].handler != nullptr && !sockets_[id].closing) {
      sockets_[id].handler->on_receive_end(ECANCELED);
    }
  }
}

void IoUringBackend::complete(const io_uring_cqe& cqe) {
  const Tag tag = Tag::unpack(cqe.user_data);
  if (tag.op == Op::kWake) {
    arm_wake();
    return;
  }
  if (tag.op == Op::kAccept) {
    complete_accept(tag.slot, cqe);
    return;
  }
  if (tag.op == Op::kCancelAccept) {
    // It met the accept at work, which goes on with what another process may be there for.
    if (cqe.res == -EALREADY && acceptors_[tag.slot].stopping) {
      cancel_accept(tag.slot);
    }
    return;
  }
  const SocketId id = tag.slot;
  if (HANGU_BUG(id >= sockets_.size() || sockets_[id].generation != tag.generation)) {
    return;
  }
  if (tag.op == Op::kReceive) {
    complete_receive(id, cqe);
    return;
  }
  complete_other(id, tag.op, cqe.res);
  finish_operation(id);
}

void IoUringBackend::complete_other(SocketId id, Op op, int result) {
  Socket& socket = sockets_[id];
  SocketHandler& handler = *socket.handler;
  switch (op) {
    case Op::kSend:
      socket.send_pending = false;
      if (!socket.closing) {
        handler.on_send(result < 0 ? -result : 0, result > 0 ? static_cast<size_t>(result) : 0);
      }
      break;
    case Op::kWritable:
      socket.writable_armed = false;
      if (!socket.closing) {
        handler.on_send(0, 0);
      }
      break;
    case Op::kReadable:
      socket.readable_armed = false;
      if (!socket.closing && std::exchange(socket.readable_wanted, false)) {
        handler.on_readable();
      }
      break;
    case Op::kCancel:
      if (result == -EALREADY && socket.quiet_wanted && !socket.closing) {
        socket.receive_cancelled = false;
        cancel_receive(id);
      }
      break;
    case Op::kConnect:
      socket.connect_pending = false;
      if (!socket.closing) {
        handler.on_connect(-result);
      }
      break;
    default: break;
  }
}

/// One operation less is in flight; after the last one a closing socket is gone.
void IoUringBackend::finish_operation(SocketId id) {
  Socket& socket = sockets_[id];
  HANGU_ASSERT(socket.outstanding != 0);
  if (--socket.outstanding != 0 || !socket.closing) {
    return;
  }
  SocketHandler& handler = *socket.handler;
  socket.fd = -1;
  socket.handler = nullptr;
  socket.next_free = free_slot_;
  free_slot_ = id;
  --open_sockets_;
  --closing_sockets_;
  handler.on_closed();
}

void IoUringBackend::complete_accept(uint32_t index, const io_uring_cqe& cqe) {
  const bool more = (cqe.flags & IORING_CQE_F_MORE) != 0;
  acceptors_[index].armed = more;
  AcceptHandler* handler = acceptors_[index].handler;
  const bool stopping = acceptors_[index].stopping;
  if (cqe.res >= 0) {
    if (handler != nullptr) {
      ++stats_.accepts;
      handler->on_accept(cqe.res, nullptr, 0);  // a multishot accept has one place for all
    } else {
      ::close(cqe.res);
    }
  } else if (handler != nullptr && !stopping && cqe.res != -ECANCELED &&
             !accept_error_is_transient(-cqe.res)) {
    handler->on_accept_error(-cqe.res);
    return;  // the listener accepts again when it sees fit
  }
  Acceptor& acceptor = acceptors_[index];
  if (!more && acceptor.stopping) {
    acceptor = {};
  } else if (acceptor.stopping) {
    cancel_accept(index);  // the one before may have met it at work
  } else if (!more && acceptor.handler != nullptr && !acceptor.armed) {
    arm_accept(index);
  }
}

void IoUringBackend::complete_receive(SocketId id, const io_uring_cqe& cqe) {
  const bool more = (cqe.flags & IORING_CQE_F_MORE) != 0;
  if (!more) {
    sockets_[id].receive_armed = false;
  }
  if ((cqe.flags & IORING_CQE_F_BUFFER) != 0) {
    const auto bytes = static_cast<uint32_t>(std::max(cqe.res, 0));
    buffer::BlockRef block = receive_ring_.take(cqe.flags >> IORING_CQE_BUFFER_SHIFT, bytes);
    if (bytes != 0 && !sockets_[id].closing) {
      ++stats_.receives;
      stats_.receive_bytes += bytes;
      sockets_[id].handler->on_receive(std::move(block), bytes);
    }
  }
  if (more) {
    if (!sockets_[id].receive_wanted && !sockets_[id].closing) {
      if (sockets_[id].quiet_wanted) {
        sockets_[id].receive_cancelled = false;  // that one may have met a receive at work
      }
      cancel_receive(id);
    }
    return;
  }
  if (!sockets_[id].closing && !sockets_[id].receive_armed) {
    end_receive(id, cqe.res);
    if (!sockets_[id].closing && !sockets_[id].receive_armed &&
        std::exchange(sockets_[id].quiet_wanted, false)) {
      sockets_[id].handler->on_quiet();
    }
  }
  finish_operation(id);
}

/// The multishot receive is over: after data or for want of blocks it is armed again.
void IoUringBackend::end_receive(SocketId id, int result) {
  Socket& socket = sockets_[id];
  if (result == -ENOBUFS) {
    ++stats_.starved_receives;
    receive_ring_.starved();
    if (socket.receive_wanted && !socket.starved) {
      socket.starved = true;
      starved_.push_back(id);
    }
    if (socket.readable_wanted) {
      arm_readable(id);
    }
  } else if (result > 0 || result == -ECANCELED || result == -EINTR || result == -EAGAIN) {
    if (socket.receive_wanted) {
      arm_receive(id);
    } else if (socket.readable_wanted) {
      arm_readable(id);
    }
  } else {
    socket.readable_wanted = false;
    socket.receive_wanted = false;
    socket.handler->on_receive_end(-result);
  }
}

}  // namespace

Result<std::unique_ptr<Backend>> make_io_uring_backend(buffer::BlockPool& receive_blocks,
                                                       int wake_fd) {
  auto backend = std::make_unique<IoUringBackend>(receive_blocks, wake_fd);
  if (auto ready = backend->init(); !ready) {
    return fail(ready.error());
  }
  return std::unique_ptr<Backend>(std::move(backend));
}

bool io_uring_available(const char** reason) {
  Ring ring;
  const auto opened = ring.open(2, 4);
  if (!opened) {
    *reason = opened.error().detail;
  }
  return opened.has_value();
}

}  // namespace hangu::event
