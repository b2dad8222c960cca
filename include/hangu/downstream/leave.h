// How client connections are taken leave of, and who takes over those that can pass to another
// process. Part of session_table.h.
#pragma once

#include <cstdint>

#include "hangu/base/clock.h"

namespace hangu::downstream {

struct ListenerContext;
class Peer;

/// Takes idle HTTP/1.1 connections over into another process.
class Successor {
 public:
  enum class Answer : uint8_t {
    kTaken,
    kBusy,  // try again in a moment
    kGone,
  };

  /// A connection between two requests, of which nobody has anything in hand. With kTaken the
  /// other process has the descriptor, too: closing it here closes nothing.
  virtual Answer take(int fd, const ListenerContext& listener, const Peer& peer,
                      uint64_t requests) noexcept = 0;

 protected:
  ~Successor() = default;
};

/// How long connections have, and what then.
struct Leave {
  Duration within{};               // what is left then is cut off by whoever asked
  Duration spread{};               // the last part of it, in which WebSockets are closed evenly
  uint16_t close_code = 0;         // of their Close frames
  bool patient = false;            // idle connections may stay for their next request
  Successor* successor = nullptr;  // outlives the table; null: nobody takes over
};

}  // namespace hangu::downstream
