// Loop: the event loop of one shard, the whole of the data plane's contact with the kernel. Sockets
// are opened with a handler that hears of completions, whichever backend (io_uring or epoll) is at
// work. A turn is: completions, mail, timers, then flush handlers and deferred work, then one wait
// that also submits everything the turn asked for. All calls on the loop's thread except stop() and
// the mailbox. The process must ignore SIGPIPE.
#pragma once

#include <sys/socket.h>
#include <sys/uio.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string_view>

#include "hangu/base/clock.h"
#include "hangu/base/intrusive_list.h"
#include "hangu/base/result.h"
#include "hangu/buffer/block.h"
#include "hangu/event/mailbox.h"
#include "hangu/event/pipe.h"
#include "hangu/event/timer.h"

namespace hangu::event {

enum class BackendKind : uint8_t { kAuto, kIoUring, kEpoll };

struct LoopOptions {
  BackendKind backend = BackendKind::kAuto;
  buffer::BlockPool& receive_blocks;
  /// Trimmed together with the receive blocks when traffic falls; may be null.
  buffer::BlockPool* small_blocks = nullptr;
};

/// Names an open socket of a loop.
using SocketId = uint32_t;

/// Hears of the completions of one socket, within a turn. May call any Loop function from within.
class SocketHandler {
 public:
  /// `bytes` received bytes begin at block->data(). Keep a copy of the reference to keep them.
  virtual void on_receive(buffer::BlockRef block, uint32_t bytes) noexcept = 0;
  /// Receiving ended: 0 the peer's FIN, else an errno. Once at most for each start_receive().
  virtual void on_receive_end(int error) noexcept = 0;
  /// A pending send is over: `bytes` more have left (maybe not all, with epoll none: send again),
  /// or the errno says why they could not.
  virtual void on_send(int error, size_t bytes) noexcept = 0;
  virtual void on_connect(int error) noexcept = 0;

  /// After wait_readable(): bytes, a FIN or an error are there. Once; may come without a cause.
  virtual void on_readable() noexcept {}

  /// After quiesce(): nothing receives any more. Once.
  virtual void on_quiet() noexcept {}

  /// The last call after close(): the kernel holds nothing of the socket any more.
  virtual void on_closed() noexcept = 0;

 protected:
  ~SocketHandler() = default;
};

class AcceptHandler {
 public:
  /// A new connection: non-blocking, close-on-exec, now the handler's. Some backends come by the
  /// address of the `peer` for free; else nullptr: getpeername(2).
  virtual void on_accept(int fd, const sockaddr* peer, socklen_t size) noexcept = 0;
  virtual void on_accept_error(int error) noexcept = 0;

 protected:
  ~AcceptHandler() = default;
};

/// Called once at the end of the turn in which it was scheduled, before the turn's sends leave.
class FlushHandler : public ListNode<FlushHandler> {
 public:
  virtual void flush() noexcept = 0;

 protected:
  ~FlushHandler() = default;
};

/// Work put off to the end of the turn, when no handler is on the stack.
class Deferred : public ListNode<Deferred> {
 public:
  virtual void run_deferred() noexcept = 0;

  bool pending() const { return linked(); }

 protected:
  ~Deferred() = default;
};

/// Work that takes long, such as the handshake of TLS: done behind everything else of a turn, in
/// the order of asking, one at least and more while the turn has time left for it; the rest waits
/// for the next turn. Many of them slow each other, not the connections that are open.
class Costly : public ListNode<Costly> {
 public:
  virtual void run_costly() noexcept = 0;

  bool pending() const { return linked(); }

 protected:
  ~Costly() = default;
};

/// Told, every kRelieveInterval at most, as long as hardly any receive block is free.
class PressureHandler {
 public:
  virtual void on_pressure() noexcept = 0;

 protected:
  ~PressureHandler() = default;
};

inline constexpr Duration kRelieveInterval = std::chrono::seconds(1);

/// The outcome of Loop::send: over at once, or pending until on_send. `bytes` have left already,
/// also while the rest is pending.
struct SendResult {
  bool pending = false;
  int error = 0;
  size_t bytes = 0;
};

/// What is known of received bytes that nobody has taken: kNone only after -EAGAIN.
enum class Waiting : uint8_t { kNone, kMaybe, kSome };

struct LoopStats {
  uint64_t turns = 0;
  uint64_t receives = 0;
  uint64_t receive_bytes = 0;
  uint64_t sends = 0;
  uint64_t spliced_bytes = 0;     // passed through pipes, in neither of the counts above
  uint64_t starved_receives = 0;  // found no free block and had to wait for one
  uint64_t accepts = 0;
};

class Backend;

class Loop {
 public:
  /// On the thread that will run it (io_uring allows no other).
  static Result<std::unique_ptr<Loop>> create(const LoopOptions& options);
  /// Sockets that are still open end with on_receive_end(ECANCELED); those closed get on_closed().
  ~Loop();

  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  void run();
  /// Makes run() return after the current turn. Any thread.
  void stop() noexcept;
  /// Takes turns until every closed socket has had its on_closed() and nobody keeps the loop busy,
  /// for at most `limit`.
  void run_until_idle(Duration limit = std::chrono::seconds(2));
  /// One turn; waits at most `limit` for something to happen.
  void turn(Duration limit);

  TimePoint now() const { return now_; }

  WallTime wall_time() const;

  Timers& timers() { return timers_; }

  Mailbox& mailbox() { return mailbox_; }

  std::string_view backend_name() const;
  const LoopStats& stats() const;
  size_t open_sockets() const;

  /// What ends by itself and should get the time, as run_until_idle() sees it.
  void keep_busy(int change) { busy_ += change; }

  /// Takes over `fd`, a non-blocking stream socket. `handler` must live until its on_closed().
  SocketId open(int fd, SocketHandler& handler);
  void connect(SocketId socket, const sockaddr* address, socklen_t size);
  void start_receive(SocketId socket);
  /// What is under way is still delivered.
  void stop_receive(SocketId socket);
  /// As stop_receive(), to the end of what is under way: true when there is nothing; else
  /// on_quiet() follows what is still delivered. Bytes that come later stay in the kernel.
  bool quiesce(SocketId socket);
  /// One at a time. While pending, the bytes (not the vector) must stay until on_send or on_closed.
  SendResult send(SocketId socket, const iovec* vector, size_t count);
  /// How many bytes one receive may bring, 0: as many as fit. For io_uring it holds for the next
  /// receive that is armed, and for all that it brings.
  void limit_receive(SocketId socket, uint32_t bytes);
  /// Moves received bytes into an empty pipe instead of a block: 0 at the peer's FIN, the negative
  /// errno else. Not while receiving; see wait_readable().
  ssize_t receive_into(SocketId socket, Pipe& pipe, size_t bytes);
  /// Ends receiving into blocks (what is under way is still delivered), then calls on_readable(),
  /// maybe at once; start_receive() takes it back.
  void wait_readable(SocketId socket, Waiting waiting);
  /// As send(), of what is in the pipe; with pending the rest must be sent again after on_send().
  SendResult send_from(SocketId socket, Pipe& pipe);

  PipePool& pipes() { return pipes_; }

  /// Ends our direction after what was sent; no send may be pending.
  void shutdown_send(SocketId socket);
  /// Once; on_closed follows in a later turn and nothing else does.
  void close(SocketId socket);
  int fd(SocketId socket) const;

  /// Accepts on `fd`, which stays the caller's, until stop_accept. One handler a descriptor.
  void accept(int fd, AcceptHandler& handler);
  /// The handler must live on: it gets those that the kernel has accepted already, until
  /// forget_accept(), which closes them. `fd` itself may be closed.
  void stop_accept(int fd);
  void forget_accept(AcceptHandler& handler);

  /// Nullptr: nobody.
  void set_pressure_handler(PressureHandler* handler) { pressure_handler_ = handler; }

  /// Of the blocks that all connections receive into.
  buffer::Pressure pressure() const { return receive_blocks_.pressure(); }

  /// What is to be given back until a quarter is free.
  size_t excess_bytes() const;

  /// See BlockPool::bounded().
  size_t bounded(size_t bytes) const { return receive_blocks_.bounded(bytes); }

  void schedule_flush(FlushHandler& handler) {
    if (!handler.linked()) {
      flush_.push_back(handler);
    }
  }

  void defer(Deferred& work) {
    if (!work.pending()) {
      deferred_.push_back(work);
    }
  }

  void queue_costly(Costly& work) {
    if (!work.pending()) {
      costly_.push_back(work);
    }
  }

 private:
  explicit Loop(const LoopOptions& options);

  void finish_turn();
  void run_costly();
  void relieve();
  bool wants_relief() const;
  void update_now();
  Duration wait_time(Duration limit) const;
  void trim_pools();

  TimePoint now_;
  mutable WallTime wall_time_{};
  mutable bool wall_time_known_ = false;
  Timers timers_;
  Mailbox mailbox_;
  IntrusiveList<FlushHandler> flush_;
  IntrusiveList<Deferred> deferred_;
  IntrusiveList<Costly> costly_;
  int busy_ = 0;
  buffer::BlockPool& receive_blocks_;
  buffer::BlockPool* small_blocks_;
  PressureHandler* pressure_handler_ = nullptr;
  TimePoint relieve_at_;
  TimePoint trim_at_;
  PipePool pipes_;
  std::unique_ptr<Backend> backend_;
  std::atomic<bool> stopping_{false};
};

/// Whether io_uring can be used by this process; if not, `reason` says why.
bool io_uring_available(const char** reason);

}  // namespace hangu::event
