// LogoutStatus: what a node remembers of sessions that providers have ended. Plain data.
#pragma once

#include <cstdint>

namespace hangu::server {

struct LogoutStatus {
  bool enabled = false;       // some provider can end sessions
  uint64_t remembered = 0;    // of all authenticators
  uint64_t without_room = 0;  // that other nodes or processes had heard, and found no place here
  bool failing = false;       // the journal cannot be written
};

}  // namespace hangu::server
