#include "hangu/base/signal_mask.h"

#include <initializer_list>

namespace hangu {

sigset_t asynchronous_signals() noexcept {
  sigset_t signals;
  sigfillset(&signals);
  for (const int number : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGABRT}) {
    sigdelset(&signals, number);
  }
  return signals;
}

void block_asynchronous_signals() noexcept {
  const sigset_t signals = asynchronous_signals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
}

}  // namespace hangu
