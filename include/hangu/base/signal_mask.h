// Which signals threads leave to the main thread.
#pragma once

#include <signal.h>

namespace hangu {

/// All signals but those that a thread brings upon itself (SIGSEGV, SIGBUS, SIGFPE, SIGILL,
/// SIGTRAP, SIGSYS, SIGABRT): blocked, they would end the process past every handler.
sigset_t asynchronous_signals() noexcept;

/// Of the calling thread.
void block_asynchronous_signals() noexcept;

}  // namespace hangu
