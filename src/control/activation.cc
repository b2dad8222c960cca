#include "hangu/control/activation.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <string>
#include <string_view>

#include "hangu/base/log.h"
#include "hangu/base/parse.h"

namespace hangu::control {
namespace {

constexpr int kFirst = 3;         // SD_LISTEN_FDS_START
constexpr uint64_t kMost = 4096;  // of them

std::string take_variable(const char* name) {
  const char* value = std::getenv(name);
  std::string text = value == nullptr ? "" : value;
  ::unsetenv(name);
  return text;
}

}  // namespace

std::shared_ptr<net::InheritedSockets> activated_sockets() {
  const auto pid = parse_decimal(take_variable("LISTEN_PID"), INT32_MAX);
  const auto count = parse_decimal(take_variable("LISTEN_FDS"), kMost);
  const std::string all_names = take_variable("LISTEN_FDNAMES");
  if (!count || *count == 0 || !pid || *pid != static_cast<uint64_t>(::getpid())) {
    return nullptr;
  }
  auto sockets = std::make_shared<net::InheritedSockets>();
  std::string_view names = all_names;
  for (int fd = kFirst; fd < kFirst + static_cast<int>(*count); ++fd) {
    const size_t end = std::min(names.find(':'), names.size());
    const std::string name(names.substr(0, end));
    names.remove_prefix(std::min(end + 1, names.size()));
    if (!sockets->add(fd, name)) {
      log::warning("event=passed_descriptor_unusable fd={} name={}", fd, name);
    }
  }
  log::info("event=sockets_passed count={}", *count);
  return sockets;
}

}  // namespace hangu::control
