// Socket activation (sd_listen_fds(3)): the listening sockets that a service manager passes: its
// own (a .socket unit), or those it kept for us (FDSTORE). Control thread; it does not link with
// libsystemd.
#pragma once

#include <memory>

#include "hangu/net/inherited_sockets.h"

namespace hangu::control {

/// Those named by LISTEN_FDS, LISTEN_PID and LISTEN_FDNAMES, which are taken out of the
/// environment; nullptr: there are none for this process.
std::shared_ptr<net::InheritedSockets> activated_sockets();

}  // namespace hangu::control
