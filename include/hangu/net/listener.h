// Listener: a listening socket on one loop. Owns the descriptor; hands accepted connections on;
// backs off when the process runs out of descriptors. One thread, except listen_on().
#pragma once

#include <cstdint>
#include <optional>

#include "hangu/base/result.h"
#include "hangu/event/loop.h"
#include "hangu/net/address.h"

namespace hangu::net {

struct ListenOptions {
  uint32_t backlog = 4096;
  bool reuse_port = true;  // several sockets on one address; ignored for Unix sockets
};

/// A bound, listening, non-blocking socket; its connections inherit TCP_NODELAY. "[::]" takes IPv4
/// too. A Unix socket file that nobody listens on any more is replaced. Any thread.
Result<int> listen_on(const Address& address, const ListenOptions& options);

/// The same in two steps: connections come only after the second.
Result<int> bind_to(const Address& address, const ListenOptions& options);
Result<void> begin_listening(int fd, uint32_t backlog);

/// How many connections wait in the kernel for accept(), and how many may.
struct AcceptQueue {
  uint32_t waiting = 0;
  uint32_t most = 0;
};

/// Of a listening TCP socket; nothing of any other. Any thread.
std::optional<AcceptQueue> accept_queue(int fd) noexcept;

class ListenerHandler {
 public:
  /// A new connection, non-blocking, now the handler's. It may end the listener.
  virtual void on_accept(int fd, const Address& peer) noexcept = 0;

 protected:
  ~ListenerHandler() = default;
};

class Listener final : private event::AcceptHandler {
 public:
  /// Accepts from now on.
  Listener(event::Loop& loop, int fd, ListenerHandler& handler);
  ~Listener();

  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  int fd() const { return fd_; }

  /// New connections wait in the kernel's backlog until resume(); those under way are still handed
  /// on.
  void pause() noexcept;
  void resume() noexcept;

  /// Pauses and accepts what is in the backlog: what closing would otherwise reset.
  void drain_backlog() noexcept;

 private:
  struct RetryTimer final : event::Timer {
    explicit RetryTimer(Listener& listener)
        : owner(listener) {}

    void on_timer() noexcept override;
    Listener& owner;
  };

  void on_accept(int fd, const sockaddr* peer, socklen_t size) noexcept override;
  void on_accept_error(int error) noexcept override;
  void start() noexcept;
  void stop() noexcept;

  event::Loop& loop_;
  int fd_;
  ListenerHandler& handler_;
  RetryTimer retry_;
  bool accepting_ = false;
  bool complained_ = false;
};

}  // namespace hangu::net
