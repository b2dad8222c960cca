#include "hangu/control/drain.h"

namespace hangu::control {

DrainStep DrainMachine::on_terminate(const DrainTimes& times) {
  switch (state_) {
    case DrainState::kServing:
      times_ = times;
      if (times.lb_delay <= Duration::zero()) {
        return begin_drain();
      }
      state_ = DrainState::kLbDelay;
      return {DrainAction::kWaitForBalancer, times.lb_delay};
    case DrainState::kLbDelay: return begin_drain();
    case DrainState::kDraining: return stop();
    case DrainState::kStopped: return {};
  }
  return {};
}

DrainStep DrainMachine::on_fast_stop() {
  return state_ == DrainState::kStopped ? DrainStep{} : stop();
}

DrainStep DrainMachine::on_timer() {
  switch (state_) {
    case DrainState::kLbDelay: return begin_drain();
    case DrainState::kDraining: return stop();
    case DrainState::kServing:
    case DrainState::kStopped: return {};
  }
  return {};
}

DrainStep DrainMachine::on_drained() {
  if (state_ != DrainState::kDraining) {
    return {};
  }
  complete_ = true;
  return stop();
}

DrainStep DrainMachine::begin_drain() {
  state_ = DrainState::kDraining;
  return {DrainAction::kBeginDrain, times_.drain_timeout};
}

DrainStep DrainMachine::stop() {
  state_ = DrainState::kStopped;
  return {DrainAction::kStop, Duration::zero()};
}

const char* to_string(DrainState state) noexcept {
  switch (state) {
    case DrainState::kServing: return "serving";
    case DrainState::kLbDelay: return "leaving";
    case DrainState::kDraining: return "draining";
    case DrainState::kStopped: return "stopped";
  }
  return "unknown";
}

}  // namespace hangu::control
