// TunnelPacer: closes the WebSockets of a SessionTable, or of one of its listeners, evenly over a
// window, so that not all clients come back at once. Owned by the table; one shard.
#pragma once

#include <cstddef>
#include <cstdint>

#include "hangu/downstream/leave.h"
#include "hangu/event/timer.h"

namespace hangu::downstream {

class SessionTable;

class TunnelPacer final : private event::Timer {
 public:
  /// `listener`: nullptr for all. `cut`: what is left at the end is closed here.
  TunnelPacer(SessionTable& table, const Leave& leave, const ListenerContext* listener, bool cut);

  ~TunnelPacer() { disarm(); }

  TunnelPacer(const TunnelPacer&) = delete;
  TunnelPacer& operator=(const TunnelPacer&) = delete;

  bool done() const { return done_; }

  const ListenerContext* listener() const { return listener_; }

 private:
  void on_timer() noexcept override;
  void step(TimePoint now) noexcept;

  SessionTable& table_;
  const ListenerContext* listener_;
  const uint16_t close_code_;
  const bool cut_;
  TimePoint begin_;  // of the spread
  TimePoint last_;   // when the last of them is told
  TimePoint end_;
  size_t all_ = 0;  // that were there when the spread began
  size_t told_ = 0;
  bool begun_ = false;
  bool done_ = false;
};

}  // namespace hangu::downstream
