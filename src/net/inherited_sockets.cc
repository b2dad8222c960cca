#include "hangu/net/inherited_sockets.h"

#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

namespace hangu::net {
namespace {

int option(int fd, int name) {
  int value = 0;
  socklen_t size = sizeof value;
  return ::getsockopt(fd, SOL_SOCKET, name, &value, &size) == 0 ? value : 0;
}

}  // namespace

void InheritedSockets::close_rest() {
  for (const Socket& socket : sockets_) {
    ::close(socket.fd);
  }
  sockets_.clear();
}

bool InheritedSockets::add(int fd, std::string name) {
  if (option(fd, SO_ACCEPTCONN) == 0 || option(fd, SO_TYPE) != SOCK_STREAM) {
    ::close(fd);
    return false;
  }
  ::fcntl(fd, F_SETFD, FD_CLOEXEC);
  ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);  // its connections inherit it
  sockets_.push_back({.fd = fd, .name = std::move(name), .address = local_address(fd)});
  return true;
}

std::vector<int> InheritedSockets::take(std::string_view name, const Address& wanted) {
  const bool any_port = !wanted.is_unix() && wanted.port() == 0;
  std::vector<int> taken;
  const auto matches = [&](const Socket& socket) {
    const Address& address = socket.address;
    return any_port ? socket.name == name && address.family() == wanted.family() &&
                          address.ip_bytes() == wanted.ip_bytes()
                    : address == wanted;
  };
  for (const Socket& socket : sockets_) {
    if (matches(socket)) {
      taken.push_back(socket.fd);
    }
  }
  std::erase_if(sockets_, matches);
  return taken;
}

std::vector<std::string> InheritedSockets::names() const {
  std::vector<std::string> names;
  for (const Socket& socket : sockets_) {
    names.push_back(socket.name);
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

}  // namespace hangu::net
