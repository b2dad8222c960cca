// What passes from a process to its successor in an upgrade, as far as the gateway has a part in
// it. Plain data.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "hangu/net/inherited_sockets.h"

namespace hangu::server {

/// A listening socket; the descriptor stays its owner's.
struct HandedSocket {
  int fd = -1;
  std::string listener;
};

/// What a process begins with that did not have to open it itself.
struct Inheritance {
  std::shared_ptr<net::InheritedSockets> sockets;  // nullptr: none
  std::string secrets;                             // see Gateway::secrets()
  std::vector<std::string> shared_secrets;         // see Gateway::set_shared_secrets()
  bool held = false;  // nothing is accepted, and nothing shared is written, before take_over()
};

}  // namespace hangu::server
