#include "control/successor_process.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <system_error>
#include <vector>

#include <climits>
#include <fmt/format.h>

#include "hangu/base/file_bytes.h"

namespace hangu::control {
namespace {

// Where the child finds them.
constexpr int kChannel = 3;
constexpr int kReport = 4;
constexpr int kFirstFree = 10;

std::vector<std::string> own_arguments() {
  const auto read = read_whole_file("/proc/self/cmdline");
  const std::string all = read ? *read : std::string();
  std::vector<std::string> arguments;
  for (size_t at = 0; at < all.size();) {
    const size_t end = std::min(all.find('\0', at), all.size());
    arguments.push_back(all.substr(at, end - at));
    at = end + 1;
  }
  return arguments;
}

std::string real_path(const std::string& path) {
  std::array<char, PATH_MAX> buffer{};
  return ::realpath(path.c_str(), buffer.data()) != nullptr ? buffer.data() : std::string();
}

std::string find_own_binary() {
  std::array<char, PATH_MAX> buffer{};
  const ssize_t size = ::readlink("/proc/self/exe", buffer.data(), buffer.size() - 1);
  std::string binary(buffer.data(), size > 0 ? static_cast<size_t>(size) : 0);
  constexpr std::string_view kDeleted = " (deleted)";
  if (binary.ends_with(kDeleted)) {
    binary.resize(binary.size() - kDeleted.size());
  }
  // A link by which it was started may point to another version when it is needed.
  const std::vector<std::string> arguments = own_arguments();
  if (!arguments.empty() && arguments[0].find('/') != std::string::npos &&
      real_path(arguments[0]) == binary) {
    return arguments[0];
  }
  return binary;
}

/// Those of this process, but for what was said to it alone.
std::vector<std::string> environment(bool with_report) {
  constexpr std::array<std::string_view, 6> kOwn = {
      "LISTEN_FDS=",   "LISTEN_PID=",       "LISTEN_FDNAMES=",
      "WATCHDOG_PID=", "HANGU_UPGRADE_FD=", "HANGU_PARENT_FD="};
  std::vector<std::string> all;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    const bool own = std::any_of(kOwn.begin(), kOwn.end(),
                                 [text](std::string_view name) { return text.starts_with(name); });
    if (!own) {
      all.emplace_back(text);
    }
  }
  all.push_back(fmt::format("HANGU_UPGRADE_FD={}", kChannel));
  if (with_report) {
    all.push_back(fmt::format("HANGU_PARENT_FD={}", kReport));
  }
  return all;
}

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) {
    pointers.push_back(text.data());
  }
  pointers.push_back(nullptr);
  return pointers;
}

/// With a descriptor of its own for each, and no other than those and the standard ones.
int spawn(const SuccessorOptions& options, int channel, pid_t& pid) {
  std::vector<std::string> arguments = own_arguments();
  std::vector<std::string> variables = environment(options.report_socket >= 0);
  // Out of the way of the numbers that they shall have.
  const int from = ::fcntl(channel, F_DUPFD_CLOEXEC, kFirstFree);
  const int report =
      options.report_socket < 0 ? -1 : ::fcntl(options.report_socket, F_DUPFD_CLOEXEC, kFirstFree);
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_adddup2(&files, from, kChannel);
  if (report >= 0) {
    posix_spawn_file_actions_adddup2(&files, report, kReport);
  }
  posix_spawn_file_actions_addclosefrom_np(&files, report >= 0 ? kReport + 1 : kChannel + 1);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none;
  sigset_t all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  const int group = options.own_group ? POSIX_SPAWN_SETPGROUP : 0;  // the number is its own pid
  posix_spawnattr_setflags(
      &attributes, static_cast<short>(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | group));
  const int error = ::posix_spawn(&pid, options.binary.c_str(), &files, &attributes,
                                  pointers_to(arguments).data(), pointers_to(variables).data());
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&files);
  ::close(from);
  if (report >= 0) {
    ::close(report);
  }
  return error;
}

}  // namespace

const std::string& own_binary() {
  static const std::string kBinary = find_own_binary();
  return kBinary;
}

Result<SuccessorProcess, std::string> start_successor(const SuccessorOptions& options) {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
    return Failure<std::string>{
        fmt::format("no socket: {}", std::generic_category().message(errno))};
  }
  SuccessorProcess process{.pid = 0, .socket = ends[0]};
  const int error = spawn(options, ends[1], process.pid);
  ::close(ends[1]);
  if (error != 0) {
    ::close(ends[0]);
    return Failure<std::string>{
        fmt::format("cannot run {}: {}", options.binary, std::generic_category().message(error))};
  }
  return process;
}

std::string end_of(pid_t pid) {
  int status = 0;
  const pid_t ended = ::waitpid(pid, &status, WNOHANG);
  if (ended == 0) {
    return {};
  }
  if (ended == pid && WIFSIGNALED(status)) {
    return fmt::format("was ended by signal {} ({})", WTERMSIG(status),
                       ::strsignal(WTERMSIG(status)));
  }
  return fmt::format("ended with exit code {}", ended == pid ? WEXITSTATUS(status) : -1);
}

}  // namespace hangu::control
