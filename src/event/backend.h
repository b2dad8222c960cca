// Backend: the part of the loop that differs between io_uring and epoll. See event/loop.h for what
// the functions mean.
#pragma once

#include <memory>

#include "hangu/event/loop.h"

namespace hangu::event {

class Backend {
 public:
  virtual ~Backend() = default;

  virtual std::string_view name() const = 0;

  virtual SocketId open(int fd, SocketHandler& handler) = 0;
  virtual void connect(SocketId socket, const sockaddr* address, socklen_t size) = 0;
  virtual void start_receive(SocketId socket) = 0;
  virtual void stop_receive(SocketId socket) = 0;
  virtual bool quiesce(SocketId socket) = 0;
  virtual SendResult send(SocketId socket, const iovec* vector, size_t count) = 0;
  virtual ssize_t receive_into(SocketId socket, Pipe& pipe, size_t bytes) = 0;
  virtual void limit_receive(SocketId socket, uint32_t bytes) = 0;
  virtual void wait_readable(SocketId socket, Waiting waiting) = 0;
  virtual SendResult send_from(SocketId socket, Pipe& pipe) = 0;
  virtual void shutdown_send(SocketId socket) = 0;
  virtual void close(SocketId socket) = 0;
  virtual int fd(SocketId socket) const = 0;
  virtual void accept(int fd, AcceptHandler& handler) = 0;
  virtual void stop_accept(int fd) = 0;
  virtual void forget_accept(AcceptHandler& handler) = 0;

  /// Submits what was asked for and waits; negative `timeout`: until something happens.
  virtual void wait(Duration timeout) = 0;
  /// Hands the completions that wait() found to their handlers.
  virtual void dispatch() = 0;
  /// on_receive_end(ECANCELED) for every socket that is not closing.
  virtual void cancel_all() = 0;

  size_t open_sockets() const { return open_sockets_; }

  size_t closing_sockets() const { return closing_sockets_; }

  const LoopStats& stats() const { return stats_; }

 protected:
  LoopStats stats_;
  size_t open_sockets_ = 0;  // those closing included
  size_t closing_sockets_ = 0;
};

/// `wake_fd` becomes readable when the loop must take a turn.
Result<std::unique_ptr<Backend>> make_io_uring_backend(buffer::BlockPool& receive_blocks,
                                                       int wake_fd);
Result<std::unique_ptr<Backend>> make_epoll_backend(buffer::BlockPool& receive_blocks, int wake_fd);

/// Errors of accept(2) that concern one connection or the network, not this process: go on.
bool accept_error_is_transient(int error) noexcept;

}  // namespace hangu::event
