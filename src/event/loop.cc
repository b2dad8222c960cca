#include "hangu/event/loop.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "hangu/base/log.h"

#include "event/backend.h"

namespace hangu::event {
namespace {

constexpr Duration kTrimInterval = std::chrono::seconds(5);
// What the costly work of a turn may take before the rest waits: a few full handshakes of TLS.
constexpr Duration kCostlyTime = std::chrono::milliseconds(1);
// How long ending a loop waits for the kernel to let go of sockets that are closing.
constexpr Duration kCloseTime = std::chrono::seconds(1);

TimePoint clock_now() {
  return std::chrono::steady_clock::now();
}

Result<std::unique_ptr<Backend>> make_backend(const LoopOptions& options, int wake_fd) {
  if (options.backend == BackendKind::kEpoll) {
    return make_epoll_backend(options.receive_blocks, wake_fd);
  }
  auto ring = make_io_uring_backend(options.receive_blocks, wake_fd);
  if (ring || options.backend == BackendKind::kIoUring) {
    return ring;
  }
  log::info("event=event_loop_fallback backend=epoll reason=\"{}: {}\"", ring.error().detail,
            std::strerror(ring.error().sys_errno));
  return make_epoll_backend(options.receive_blocks, wake_fd);
}

}  // namespace

bool accept_error_is_transient(int error) noexcept {
  switch (error) {
    case EAGAIN:
    case EINTR:
    case ECONNABORTED:
    case EPROTO:
    case EPERM:  // a firewall rule
    case ENETDOWN:
    case ENETUNREACH:
    case EHOSTDOWN:
    case EHOSTUNREACH:
    case ENOPROTOOPT:
    case EOPNOTSUPP: return true;
    default: return false;
  }
}

Loop::Loop(const LoopOptions& options)
    : now_(clock_now()),
      timers_(now_),
      receive_blocks_(options.receive_blocks),
      small_blocks_(options.small_blocks),
      trim_at_(now_ + kTrimInterval) {}

Loop::~Loop() {
  if (backend_ == nullptr) {
    return;
  }
  backend_->cancel_all();
  const TimePoint deadline = clock_now() + kCloseTime;
  while (backend_->closing_sockets() != 0 && clock_now() < deadline) {
    backend_->wait(std::chrono::milliseconds(10));
    backend_->dispatch();
  }
}

Result<std::unique_ptr<Loop>> Loop::create(const LoopOptions& options) {
  std::unique_ptr<Loop> loop(new Loop(options));
  auto backend = make_backend(options, loop->mailbox_.wake_fd());
  if (!backend) {
    return fail(backend.error());
  }
  loop->backend_ = std::move(*backend);
  return loop;
}

void Loop::run() {
  while (!stopping_.load(std::memory_order_relaxed)) {
    turn(Duration(-1));
  }
}

void Loop::stop() noexcept {
  stopping_.store(true, std::memory_order_relaxed);
  mailbox_.wake();
}

void Loop::run_until_idle(Duration limit) {
  const TimePoint deadline = clock_now() + limit;
  finish_turn();
  while ((backend_->closing_sockets() != 0 || busy_ != 0) && clock_now() < deadline) {
    turn(std::chrono::milliseconds(10));
  }
}

void Loop::turn(Duration limit) {
  finish_turn();  // what was asked for between turns
  backend_->wait(wait_time(limit));
  update_now();
  backend_->dispatch();
  mailbox_.run_all();
  timers_.advance(now_);
  finish_turn();
  run_costly();
  relieve();
  if (now_ >= trim_at_) {
    trim_pools();
  }
}

/// The least of `limit` and what comes next of timers, trim and relief; negative when there is none
/// of them. None while work waits.
Duration Loop::wait_time(Duration limit) const {
  if (!costly_.empty()) {
    return Duration::zero();
  }
  const bool trim = receive_blocks_.worth_trimming() ||
                    (small_blocks_ != nullptr && small_blocks_->worth_trimming());
  Duration least(-1);
  const auto until = [&](bool wanted, TimePoint at) {
    return wanted ? std::max(at - now_, Duration::zero()) : Duration(-1);
  };
  for (const Duration time : {limit, timers_.until_next(now_), until(trim, trim_at_),
                              until(wants_relief(), relieve_at_)}) {
    if (time >= Duration::zero() && (least < Duration::zero() || time < least)) {
      least = time;
    }
  }
  return least;
}

void Loop::trim_pools() {
  trim_at_ = now_ + kTrimInterval;
  receive_blocks_.trim_unused();
  if (small_blocks_ != nullptr) {
    small_blocks_->trim_unused();
  }
}

void Loop::finish_turn() {
  while (!flush_.empty() || !deferred_.empty()) {
    while (FlushHandler* handler = flush_.pop_front()) {
      handler->flush();
    }
    while (Deferred* work = deferred_.pop_front()) {
      work->run_deferred();
    }
  }
}

void Loop::run_costly() {
  if (costly_.empty()) {
    return;
  }
  const TimePoint until = clock_now() + kCostlyTime;
  do {
    costly_.pop_front()->run_costly();
  } while (!costly_.empty() && clock_now() < until);
  finish_turn();
}

bool Loop::wants_relief() const {
  return pressure_handler_ != nullptr && pressure() == buffer::Pressure::kCritical;
}

size_t Loop::excess_bytes() const {
  const uint32_t wanted = receive_blocks_.blocks_max() / 4 * 3;
  const uint32_t in_use = receive_blocks_.in_use();
  return in_use > wanted ? size_t{in_use - wanted} * receive_blocks_.block_capacity() : 0;
}

void Loop::relieve() {
  if (now_ < relieve_at_ || !wants_relief()) {
    return;
  }
  relieve_at_ = now_ + kRelieveInterval;
  pressure_handler_->on_pressure();
  finish_turn();
}

void Loop::update_now() {
  now_ = clock_now();
  timers_.set_now(now_);
  wall_time_known_ = false;
}

WallTime Loop::wall_time() const {
  if (!wall_time_known_) {
    wall_time_ = std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
    wall_time_known_ = true;
  }
  return wall_time_;
}

std::string_view Loop::backend_name() const {
  return backend_->name();
}

const LoopStats& Loop::stats() const {
  return backend_->stats();
}

size_t Loop::open_sockets() const {
  return backend_->open_sockets();
}

SocketId Loop::open(int fd, SocketHandler& handler) {
  return backend_->open(fd, handler);
}

void Loop::connect(SocketId socket, const sockaddr* address, socklen_t size) {
  backend_->connect(socket, address, size);
}

void Loop::start_receive(SocketId socket) {
  backend_->start_receive(socket);
}

void Loop::stop_receive(SocketId socket) {
  backend_->stop_receive(socket);
}

bool Loop::quiesce(SocketId socket) {
  return backend_->quiesce(socket);
}

SendResult Loop::send(SocketId socket, const iovec* vector, size_t count) {
  return backend_->send(socket, vector, count);
}

ssize_t Loop::receive_into(SocketId socket, Pipe& pipe, size_t bytes) {
  return backend_->receive_into(socket, pipe, bytes);
}

void Loop::limit_receive(SocketId socket, uint32_t bytes) {
  backend_->limit_receive(socket, bytes);
}

void Loop::wait_readable(SocketId socket, Waiting waiting) {
  backend_->wait_readable(socket, waiting);
}

SendResult Loop::send_from(SocketId socket, Pipe& pipe) {
  return backend_->send_from(socket, pipe);
}

void Loop::shutdown_send(SocketId socket) {
  backend_->shutdown_send(socket);
}

void Loop::close(SocketId socket) {
  backend_->close(socket);
}

int Loop::fd(SocketId socket) const {
  return backend_->fd(socket);
}

void Loop::accept(int fd, AcceptHandler& handler) {
  backend_->accept(fd, handler);
}

void Loop::stop_accept(int fd) {
  backend_->stop_accept(fd);
}

void Loop::forget_accept(AcceptHandler& handler) {
  backend_->forget_accept(handler);
}

}  // namespace hangu::event
