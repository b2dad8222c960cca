// Who is to blame when the process dies within a plugin: each thread knows which plugin it is in,
// and a handler of deadly signals writes that to standard error before whatever else happens to the
// process (a core dump, a sanitizer's report).
#pragma once

namespace hangu::plugin {

/// What the report says; texts end with a zero byte and outlive the call.
struct Suspect {
  const char* plugin = nullptr;  // nullptr: no plugin is being called
  const char* version = nullptr;
  const char* sha256 = nullptr;
  const char* phase = nullptr;
  const char* route = nullptr;
};

extern constinit thread_local const Suspect* suspect;

/// Blames a plugin for as long as it lives.
class Suspicion {
 public:
  explicit Suspicion(const Suspect& who) noexcept
      : before_(suspect) {
    suspect = &who;
  }

  ~Suspicion() { suspect = before_; }

  Suspicion(const Suspicion&) = delete;
  Suspicion& operator=(const Suspicion&) = delete;

 private:
  const Suspect* before_;
};

/// Takes SIGSEGV and its kin over, once; whoever had them gets them after the report.
void report_crashes() noexcept;

/// Gives this thread a stack for the handler, so that a stack that overflows is reported as well.
class SignalStack {
 public:
  SignalStack() = default;
  ~SignalStack();

  SignalStack(const SignalStack&) = delete;
  SignalStack& operator=(const SignalStack&) = delete;

  /// Once; where the thread has one already, that one stays.
  void open() noexcept;

 private:
  void* memory_ = nullptr;
};

}  // namespace hangu::plugin
