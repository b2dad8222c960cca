// LogoutSharing: how far a node is with telling its fleet what providers have ended. Plain data.
#pragma once

#include <cstdint>
#include <string>

namespace hangu::control {

struct LogoutSharing {
  bool enabled = false;    // there is a fleet that shares them
  bool connected = false;  // what others hear, this node is told
  std::string error;       // why it is not, or why nothing can be put
  uint64_t waiting = 0;    // entries that the store has not got yet
  uint64_t shared = 0;     // that it has got from this process
  uint64_t overflows = 0;  // that found no place among those that wait: they are looked for later
};

}  // namespace hangu::control
