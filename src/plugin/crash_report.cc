#include "hangu/plugin/crash_report.h"

#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>

namespace hangu::plugin {

constinit thread_local const Suspect* suspect = nullptr;

namespace {

struct Deadly {
  int number;
  std::string_view name;
};

constexpr std::array kDeadly = {Deadly{SIGSEGV, "SIGSEGV"}, Deadly{SIGBUS, "SIGBUS"},
                                Deadly{SIGFPE, "SIGFPE"}, Deadly{SIGILL, "SIGILL"},
                                Deadly{SIGABRT, "SIGABRT"}};
constexpr size_t kStackBytes = 64 * 1024;

std::array<struct sigaction, kDeadly.size()> handlers_before;
bool installed = false;

/// A line put together without memory of the heap: async-signal-safe.
class Line {
 public:
  Line& operator<<(std::string_view text) noexcept {
    const size_t taken = std::min(text.size(), buffer_.size() - used_);
    std::copy_n(text.begin(), taken, buffer_.begin() + static_cast<std::ptrdiff_t>(used_));
    used_ += taken;
    return *this;
  }

  Line& operator<<(const char* text) noexcept {
    return *this << std::string_view(text != nullptr ? text : "-");
  }

  void write() const noexcept {
    // NOLINTNEXTLINE(bugprone-unused-return-value): there is nobody to tell
    static_cast<void>(::write(STDERR_FILENO, buffer_.data(), used_) == 0);
  }

 private:
  std::array<char, 512> buffer_;
  size_t used_ = 0;
};

void on_deadly_signal(int number, siginfo_t* info, void* /*context*/) {
  const auto* found = std::find_if(kDeadly.begin(), kDeadly.end(),
                                   [number](const Deadly& each) { return each.number == number; });
  if (const Suspect* who = suspect; who != nullptr) {
    suspect = nullptr;  // once
    Line line;
    line << "hangu: " << found->name << " in plugin \"" << who->plugin << "\" version "
         << who->version << " sha256 " << who->sha256 << " phase " << who->phase << " route "
         << who->route << "\n";
    line.write();
  }
  ::sigaction(number, &handlers_before[static_cast<size_t>(found - kDeadly.begin())], nullptr);
  if (info->si_code <= 0) {
    ::raise(number);  // it was sent: it will not happen again by itself
  }
}

}  // namespace

void report_crashes() noexcept {
  if (installed) {
    return;
  }
  installed = true;

  struct sigaction action {};

  action.sa_sigaction = on_deadly_signal;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  sigemptyset(&action.sa_mask);
  for (size_t i = 0; i < kDeadly.size(); ++i) {
    ::sigaction(kDeadly[i].number, &action, &handlers_before[i]);
  }
}

void SignalStack::open() noexcept {
  stack_t now{};
  if (memory_ != nullptr || ::sigaltstack(nullptr, &now) != 0 || (now.ss_flags & SS_DISABLE) == 0) {
    return;
  }
  void* memory =
      ::mmap(nullptr, kStackBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) {
    return;
  }
  const stack_t stack{.ss_sp = memory, .ss_flags = 0, .ss_size = kStackBytes};
  if (::sigaltstack(&stack, nullptr) != 0) {
    ::munmap(memory, kStackBytes);
    return;
  }
  memory_ = memory;
}

SignalStack::~SignalStack() {
  if (memory_ != nullptr) {
    const stack_t none{.ss_sp = nullptr, .ss_flags = SS_DISABLE, .ss_size = 0};
    ::sigaltstack(&none, nullptr);
    ::munmap(memory_, kStackBytes);
  }
}

}  // namespace hangu::plugin
