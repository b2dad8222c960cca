// SuccessorProcess: the new binary as a child, with this process's arguments and one end of a
// socket. Control thread.
#pragma once

#include <sys/types.h>

#include <string>

#include "hangu/base/result.h"

namespace hangu::control {

/// The path to start again: as this process was started, or where the binary was, so that a file
/// that has been replaced, or a link that has been turned, is taken. Known from the first call on,
/// which should be at the start.
const std::string& own_binary();

struct SuccessorOptions {
  std::string binary;
  int report_socket = -1;  // see Lineage; -1: none
  /// Signals to our process group are not for it: it gets those that we pass on.
  bool own_group = false;
};

struct SuccessorProcess {
  pid_t pid = 0;
  int socket = -1;  // a seqpacket socket, the caller's; its other end is HANGU_UPGRADE_FD there
};

Result<SuccessorProcess, std::string> start_successor(const SuccessorOptions& options);

/// How a child has ended; empty: it has not. Reaps it.
std::string end_of(pid_t pid);

}  // namespace hangu::control
