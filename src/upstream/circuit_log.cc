#include "hangu/upstream/circuit_log.h"

#include "hangu/base/log.h"

namespace hangu::upstream {

void log_change(std::string_view kind, std::string_view name,
                const policy::CircuitBreaker::Change& change) {
  using State = policy::CircuitBreaker::State;
  switch (change.state) {
    case State::kClosed: log::info("event=circuit_closed {}={}", kind, name); break;
    case State::kHalfOpen: log::info("event=circuit_half_open {}={}", kind, name); break;
    case State::kOpen:
      log::warning("event=circuit_opened {}={} cause={} requests={} failures={} for_ms={}", kind,
                   name, policy::to_string(change.cause), change.requests, change.failures,
                   change.open_ns / 1'000'000);
      break;
  }
}

}  // namespace hangu::upstream
