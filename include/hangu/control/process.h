// What the process asks of the kernel once, at its start: descriptors, SIGPIPE, and which threads
// take signals. Also the control plane's clock. Control thread.
#pragma once

#include <signal.h>

#include <cstdint>

#include "hangu/base/clock.h"

namespace boost::asio {
class io_context;
}

namespace hangu::control {

/// Raises RLIMIT_NOFILE to its hard limit; ignores SIGPIPE and SIGXFSZ. Returns the limit that
/// holds now.
uint64_t prepare_process();

/// Of a thread for work that can wait: signals are for others, and so is the CPU (nice 10).
void step_back();

/// Asio looks names up on a thread of its own, which it starts when it is first needed; from here
/// it takes no signals.
void start_resolver_thread(boost::asio::io_context& context);

/// While it lives, threads that are started inherit a mask that blocks every signal but those of
/// their own faults, so that signals reach the control thread and interrupt no shard.
class SignalsBlocked {
 public:
  SignalsBlocked();
  ~SignalsBlocked();

  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  sigset_t previous_;
};

/// CLOCK_MONOTONIC. For the control plane only: the data plane asks its loop.
TimePoint monotonic_now();

/// Time of day, for status and logs.
WallTime wall_now();

}  // namespace hangu::control
