#include "hangu/net/listener.h"

#include <netinet/tcp.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "hangu/base/log.h"

namespace hangu::net {
namespace {

constexpr Duration kRetryDelay = std::chrono::milliseconds(100);
constexpr int kDrainMax = 4096;

/// Removes the socket file when connecting to it shows that nobody is there.
void remove_stale_socket(const Address& address) {
  const int probe = ::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (probe < 0) {
    return;
  }
  if (::connect(probe, address.data(), address.size()) != 0 && errno == ECONNREFUSED) {
    ::unlink(std::string(address.unix_path()).c_str());
  }
  ::close(probe);
}

bool set_option(int fd, int level, int name, int value) {
  return setsockopt(fd, level, name, &value, sizeof value) == 0;
}

bool prepare(int fd, const Address& address, const ListenOptions& options) {
  if (address.is_unix()) {
    return true;
  }
  bool ok =
      set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1) && set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  if (options.reuse_port) {
    ok = ok && set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1);
  }
  if (address.is_v6()) {
    ok = ok && set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0);
  }
  return ok;
}

}  // namespace

Result<int> bind_to(const Address& address, const ListenOptions& options) {
  const int fd = ::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) {
    return fail(internal_error(Errc::kSystem, "socket", errno));
  }
  if (address.is_unix()) {
    remove_stale_socket(address);
  }
  if (!prepare(fd, address, options) || ::bind(fd, address.data(), address.size()) != 0) {
    const int error = errno;
    ::close(fd);
    return fail(internal_error(Errc::kSystem, "bind", error));
  }
  return fd;
}

Result<void> begin_listening(int fd, uint32_t backlog) {
  if (::listen(fd, static_cast<int>(backlog)) != 0) {
    return fail(internal_error(Errc::kSystem, "listen", errno));
  }
  return {};
}

Result<int> listen_on(const Address& address, const ListenOptions& options) {
  const Result<int> fd = bind_to(address, options);
  if (fd) {
    if (const auto listening = begin_listening(*fd, options.backlog); !listening) {
      ::close(*fd);
      return fail(listening.error());
    }
  }
  return fd;
}

std::optional<AcceptQueue> accept_queue(int fd) noexcept {
  tcp_info info{};
  socklen_t size = sizeof info;
  // Of a listening socket these two fields are its queue.
  if (::getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) != 0 || info.tcpi_state != TCP_LISTEN) {
    return std::nullopt;
  }
  return AcceptQueue{.waiting = info.tcpi_unacked, .most = info.tcpi_sacked};
}

Listener::Listener(event::Loop& loop, int fd, ListenerHandler& handler)
    : loop_(loop),
      fd_(fd),
      handler_(handler),
      retry_(*this) {
  start();
}

Listener::~Listener() {
  stop();
  loop_.forget_accept(*this);
  ::close(fd_);
}

void Listener::start() noexcept {
  accepting_ = true;
  loop_.accept(fd_, *this);
}

void Listener::stop() noexcept {
  retry_.disarm();
  if (accepting_) {
    accepting_ = false;
    loop_.stop_accept(fd_);
  }
}

void Listener::pause() noexcept {
  stop();
}

void Listener::resume() noexcept {
  if (!accepting_) {
    retry_.disarm();
    start();
  }
}

void Listener::drain_backlog() noexcept {
  pause();
  for (int i = 0; i < kDrainMax; ++i) {
    const int fd = accept4(fd_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
      return;
    }
    handler_.on_accept(fd, peer_address(fd));
  }
}

void Listener::on_accept(int fd, const sockaddr* peer, socklen_t size) noexcept {
  handler_.on_accept(fd, peer != nullptr ? Address::from_sockaddr(peer, size) : peer_address(fd));
}

/// Out of descriptors or memory: trying at once would only spin.
void Listener::on_accept_error(int error) noexcept {
  if (!complained_) {
    complained_ = true;
    log::error("event=accept_failed error=\"{}\" retry_ms=100", std::strerror(error));
  }
  stop();
  retry_.arm(loop_.timers(), kRetryDelay);
}

void Listener::RetryTimer::on_timer() noexcept {
  owner.start();
}

}  // namespace hangu::net
