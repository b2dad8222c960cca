// InheritedSockets: listening sockets that the process got instead of opening them: from its
// predecessor, or from the service manager. Owns those that nobody has taken. One thread; it makes
// no socket.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "hangu/net/address.h"

namespace hangu::net {

class InheritedSockets {
 public:
  InheritedSockets() = default;

  ~InheritedSockets() { close_rest(); }

  InheritedSockets(const InheritedSockets&) = delete;
  InheritedSockets& operator=(const InheritedSockets&) = delete;

  /// `name`: of the listener; may be empty. False, and closed: it is no listening stream socket.
  bool add(int fd, std::string name);

  /// Those bound to `wanted`, in the order in which they came; the caller's from then on. Where it
  /// asks for any port: those of this name and IP address.
  std::vector<int> take(std::string_view name, const Address& wanted);

  /// Closes those that nobody has taken.
  void close_rest();

  /// Names of those that nobody has taken; each once.
  std::vector<std::string> names() const;

 private:
  struct Socket {
    int fd;
    std::string name;
    Address address;
  };

  std::vector<Socket> sockets_;
};

}  // namespace hangu::net
