#include "hangu/control/service_notifier.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstdlib>
#include <cstring>

#include <fmt/format.h>

#include "hangu/base/log.h"
#include "hangu/base/parse.h"
#include "hangu/net/descriptor_passing.h"

namespace hangu::control {
namespace {

int64_t microseconds(Duration duration) {
  return std::chrono::duration_cast<std::chrono::microseconds>(duration).count();
}

// One datagram is "KEY=value" lines: a line feed in a value would start another key.
std::string one_line(std::string_view text) {
  std::string line(text);
  for (char& byte : line) {
    if (byte == '\n' || byte == '\r') {
      byte = ' ';
    }
  }
  return line;
}

std::string_view environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string_view() : std::string_view(value);
}

}  // namespace

ServiceNotifier::ServiceNotifier(std::string_view socket_path, Duration watchdog)
    : watchdog_(watchdog) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const bool usable = !socket_path.empty() && (socket_path[0] == '/' || socket_path[0] == '@') &&
                      socket_path.size() < sizeof(address.sun_path);
  if (!usable) {
    watchdog_ = Duration::zero();
    return;
  }
  socket_path.copy(address.sun_path, socket_path.size());
  if (socket_path[0] == '@') {
    address.sun_path[0] = '\0';
  }
  const char* bytes = reinterpret_cast<const char*>(&address);
  address_.assign(bytes, offsetof(sockaddr_un, sun_path) + socket_path.size());
  fd_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

ServiceNotifier::~ServiceNotifier() {
  if (fd_ >= 0) {
    ::close(fd_);
  }
}

ServiceNotifier ServiceNotifier::from_environment() {
  Duration watchdog{0};
  const std::string_view owner = environment("WATCHDOG_PID");
  const bool ours = owner.empty() || owner == std::to_string(::getpid());
  if (const auto usec = parse_decimal(environment("WATCHDOG_USEC"), INT32_MAX * 1000ULL);
      ours && usec) {
    watchdog = std::chrono::microseconds(*usec);
  }
  return ServiceNotifier(environment("NOTIFY_SOCKET"), watchdog);
}

void ServiceNotifier::ready(std::string_view status) {
  send(fmt::format("READY=1\nSTATUS={}", one_line(status)));
}

void ServiceNotifier::reloading(TimePoint now) {
  send(fmt::format("RELOADING=1\nMONOTONIC_USEC={}\nSTATUS=reloading",
                   microseconds(now.time_since_epoch())));
}

void ServiceNotifier::stopping(std::string_view status, Duration at_most) {
  send(fmt::format("STOPPING=1\nEXTEND_TIMEOUT_USEC={}\nSTATUS={}", microseconds(at_most),
                   one_line(status)));
}

void ServiceNotifier::status(std::string_view text) {
  send(fmt::format("STATUS={}", one_line(text)));
}

void ServiceNotifier::keep(int descriptor, std::string_view name) {
  send(fmt::format("FDSTORE=1\nFDNAME={}", name), descriptor);
}

void ServiceNotifier::forget(std::string_view name) {
  send(fmt::format("FDSTOREREMOVE=1\nFDNAME={}", name));
}

void ServiceNotifier::main_process(int64_t pid) {
  send(fmt::format("MAINPID={}", pid));
}

void ServiceNotifier::alive() {
  send("WATCHDOG=1");
}

void ServiceNotifier::send(std::string_view message, int descriptor) const {
  if (fd_ < 0) {
    return;
  }
  const std::span<const int> descriptors(&descriptor, descriptor >= 0 ? 1 : 0);
  if (const int error = net::send_with_descriptors(fd_, message, descriptors, address_)) {
    log::debug("notify_failed errno={}", error);
  }
}

}  // namespace hangu::control
