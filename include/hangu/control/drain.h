// DrainMachine: the order in which the process goes down, as a pure state machine: signals, timers
// and the gateway's report go in, the next thing to do comes out. No clock, no I/O; the Daemon
// carries it out on the control thread. Serving → (readiness off, still accepting) → draining →
// stopped.
#pragma once

#include <cstdint>

#include "hangu/base/clock.h"

namespace hangu::control {

enum class DrainState : uint8_t { kServing, kLbDelay, kDraining, kStopped };

enum class DrainAction : uint8_t {
  kNone,
  kWaitForBalancer,  // readiness off; call on_timer() after `timer`
  kBeginDrain,  // stop accepting; call on_timer() after `timer` unless on_drained() comes first
  kStop,        // leave now
};

struct DrainStep {
  DrainAction action = DrainAction::kNone;
  Duration timer{0};
};

struct DrainTimes {
  Duration lb_delay{0};
  Duration drain_timeout{0};
};

class DrainMachine {
 public:
  /// SIGTERM, SIGINT. The second one cuts `lb_delay` short, or the drain when that is under way.
  DrainStep on_terminate(const DrainTimes& times);
  DrainStep on_fast_stop();  // SIGQUIT
  DrainStep on_timer();
  DrainStep on_drained();

  DrainState state() const { return state_; }

  bool complete() const { return complete_; }  // every stream ended by itself

 private:
  DrainStep begin_drain();
  DrainStep stop();

  DrainState state_ = DrainState::kServing;
  DrainTimes times_;
  bool complete_ = false;
};

const char* to_string(DrainState state) noexcept;

}  // namespace hangu::control
