#include "server/listening_sockets.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include <fmt/format.h>

#include "hangu/net/address.h"
#include "hangu/net/listener.h"

namespace hangu::server {
namespace {

Failure<std::string> cannot(std::string_view what, std::string_view name, std::string_view address,
                            int error) {
  return {fmt::format("listener {}: cannot {} {}: {}", name, what, address,
                      std::generic_category().message(error))};
}

/// -1: no descriptor is left.
int copy_of(int fd) {
  return ::fcntl(fd, F_DUPFD_CLOEXEC, 0);
}

}  // namespace

Result<ListeningSockets::Bound, std::string> ListeningSockets::open(
    const config::Listener& listener, net::InheritedSockets& given) {
  const auto wanted = net::Address::parse(listener.bind.text);
  if (!wanted) {
    return Failure<std::string>{
        fmt::format("listener {}: bad address {}", listener.name, listener.bind.text)};
  }
  Bound bound{
      .address = {}, .sockets = given.take(listener.name, *wanted), .backlog = listener.backlog};
  const size_t taken = bound.sockets.size();
  net::Address address = taken != 0 ? net::local_address(bound.sockets.front()) : *wanted;
  while (bound.sockets.size() < shards_) {
    const size_t i = bound.sockets.size();
    const bool shared = i != 0 && address.is_unix();
    int error = 0;
    int fd = -1;
    if (!shared) {
      const auto opened = net::bind_to(address, {.backlog = listener.backlog, .reuse_port = true});
      fd = opened ? *opened : -1;
      error = opened ? 0 : opened.error().sys_errno;
    }
    if (shared || (fd < 0 && taken != 0)) {
      // The one that opened those it was given did not mean them to be several.
      fd = copy_of(bound.sockets[i % std::max<size_t>(taken, 1)]);
      error = fd < 0 ? errno : 0;
    }
    if (fd < 0) {
      close({{listener.name, bound}});
      return cannot("bind", listener.name, listener.bind.text, error);
    }
    bound.sockets.push_back(fd);
    if (!shared) {
      address = net::local_address(fd);
    }
  }
  bound.address = address.to_string();
  return bound;
}

/// Of those that listen already this changes the backlog at most.
Result<void, std::string> ListeningSockets::listen(const Listeners& listeners) {
  for (const auto& [name, bound] : listeners) {
    for (const int fd : bound.sockets) {
      if (const auto listening = net::begin_listening(fd, bound.backlog); !listening) {
        return cannot("bind", name, bound.address, listening.error().sys_errno);
      }
    }
  }
  return {};
}

void ListeningSockets::close(const Listeners& listeners) {
  for (const auto& [name, bound] : listeners) {
    for (const int fd : bound.sockets) {
      ::close(fd);
    }
  }
}

void ListeningSockets::add(const Listeners& listeners) {
  for (const auto& [name, bound] : listeners) {
    open_[name] = bound;
  }
}

bool ListeningSockets::goes_on(const std::string& name, const Listeners& others) const {
  const auto found = open_.find(name);
  return found != open_.end() && std::any_of(others.begin(), others.end(), [&](const auto& other) {
           return other.second.address == found->second.address;
         });
}

void ListeningSockets::copy(const std::vector<std::string>& names,
                            net::InheritedSockets& to) const {
  for (const std::string& name : names) {
    if (const auto found = open_.find(name); found != open_.end()) {
      for (const int fd : found->second.sockets) {
        if (const int copy = copy_of(fd); copy >= 0) {
          to.add(copy, name);
        }
      }
    }
  }
}

std::vector<HandedSocket> ListeningSockets::handed() const {
  std::vector<HandedSocket> all;
  for (const auto& [name, bound] : open_) {
    for (const int fd : bound.sockets) {
      all.push_back({.fd = fd, .listener = name});
    }
  }
  return all;
}

}  // namespace hangu::server
