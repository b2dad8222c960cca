// Lineage: where the process stands in a line of upgrades. The process that somebody started (a
// shell, a container runtime, a supervisor) stays when it has made room: that somebody waits for it
// and signals it. It passes signals on to its last successor and ends as that one ends. Only a
// service manager that can be told of another main process (NOTIFY_SOCKET) needs no such parent.
// Control thread.
#pragma once

#include <sys/types.h>

namespace hangu::control {

class Lineage {
 public:
  /// Takes HANGU_PARENT_FD out of the environment.
  static Lineage from_environment();

  Lineage(Lineage&& other) noexcept;
  Lineage& operator=(Lineage&& other) = delete;
  ~Lineage();

  /// Whether this process stays behind its successors.
  bool stays() const { return first_; }

  /// What successors report to, for them to inherit; -1: nobody wants to know.
  int report_socket();

  /// This process is the one that serves from now on.
  void report() const;

  /// Our own successor serves: until a later one reports.
  void note_heir(pid_t pid) { heir_ = pid; }

  /// The one that does, as it last reported; 0: no successor did.
  pid_t heir();

  /// Sends a signal to it.
  void pass_on(int signal);

  /// Once nothing else is to be done here: passes signals on until the last successor has ended;
  /// its exit code. The thread must block them.
  int accompany();

 private:
  Lineage(bool first, int report)
      : first_(first),
        report_(report) {}

  bool first_;
  int report_;        // to the first process
  int reports_ = -1;  // from the successors, in the first process
  pid_t heir_ = 0;
};

}  // namespace hangu::control
