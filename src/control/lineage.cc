#include "hangu/control/lineage.h"

#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <utility>

#include "hangu/base/log.h"
#include "hangu/base/parse.h"
#include "hangu/base/signal_mask.h"

namespace hangu::control {
namespace {

constexpr const char* kVariable = "HANGU_PARENT_FD";
constexpr int kSignalBase = 128;  // of exit codes, as shells have it

bool has_manager() {
  const char* socket = std::getenv("NOTIFY_SOCKET");
  return socket != nullptr && *socket != '\0';
}

}  // namespace

Lineage Lineage::from_environment() {
  const char* text = std::getenv(kVariable);
  const auto fd = parse_decimal(text == nullptr ? "" : text, INT32_MAX);
  ::unsetenv(kVariable);
  if (fd) {
    ::fcntl(static_cast<int>(*fd), F_SETFD, FD_CLOEXEC);
  }
  return {!fd && !has_manager(), fd ? static_cast<int>(*fd) : -1};
}

Lineage::Lineage(Lineage&& other) noexcept
    : first_(other.first_),
      report_(std::exchange(other.report_, -1)),
      reports_(std::exchange(other.reports_, -1)),
      heir_(other.heir_) {}

Lineage::~Lineage() {
  for (const int fd : {report_, reports_}) {
    if (fd >= 0) {
      ::close(fd);
    }
  }
}

int Lineage::report_socket() {
  if (first_ && reports_ < 0) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) == 0) {
      reports_ = ends[0];
      report_ = ends[1];
      ::fcntl(reports_, F_SETFL, O_NONBLOCK);
    }
    // The successors of successors become our children when their parents end.
    ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  }
  return report_;
}

void Lineage::report() const {
  const pid_t pid = ::getpid();
  if (report_ >= 0 && ::write(report_, &pid, sizeof pid) != sizeof pid) {
    log::warning("event=parent_not_told errno={}", errno);
  }
}

pid_t Lineage::heir() {
  pid_t pid = 0;
  while (reports_ >= 0 && ::read(reports_, &pid, sizeof pid) == sizeof pid) {
    heir_ = pid;
  }
  return heir_;
}

void Lineage::pass_on(int signal) {
  if (const pid_t pid = heir(); pid > 0) {
    ::kill(pid, signal);
  }
}

int Lineage::accompany() {
  const sigset_t signals = asynchronous_signals();
  const int fd = ::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
  if (fd < 0) {
    log::error("event=parent_failed errno={}", errno);
    return 1;
  }
  ::malloc_trim(0);  // it may be a long time
  log::info("event=accompanying pid={}", heir());
  for (;;) {
    // Those that ended before we looked come first.
    int status = 0;
    pid_t ended = 0;
    while ((ended = ::waitpid(-1, &status, WNOHANG)) > 0) {
      if (ended == heir()) {
        ::close(fd);
        return WIFEXITED(status) ? WEXITSTATUS(status) : kSignalBase + WTERMSIG(status);
      }
    }
    if (ended < 0 && errno == ECHILD) {
      log::error("event=heir_lost pid={}", heir());
      ::close(fd);
      return 1;
    }
    pollfd waiting{.fd = fd, .events = POLLIN, .revents = 0};
    ::poll(&waiting, 1, -1);
    signalfd_siginfo signal{};
    while (::read(fd, &signal, sizeof signal) == sizeof signal) {
      const int number = static_cast<int>(signal.ssi_signo);
      if (number != SIGCHLD && number != SIGPIPE) {
        pass_on(number);
      }
    }
  }
}

}  // namespace hangu::control
