#include "cli/config_file.h"

#include <unistd.h>

#include <fmt/format.h>

#include "hangu/base/parse.h"

namespace hangu::cli {
namespace {

constexpr const char* kSearchPath[] = {"hangu.yaml", "/etc/hangu/hangu.yaml"};
constexpr uint64_t kWorkersMax = 1024;

}  // namespace

Result<std::string, std::string> find_config(const std::string& given) {
  if (!given.empty()) {
    return given;
  }
  for (const char* path : kSearchPath) {
    if (::access(path, F_OK) == 0) {
      return std::string(path);
    }
  }
  return Failure<std::string>{
      "no config file: neither ./hangu.yaml nor /etc/hangu/hangu.yaml exists"};
}

Result<void, std::string> apply_overrides(config::Config& config, const std::string& event_loop,
                                          const std::string& workers) {
  if (event_loop == "auto") {
    config.event_loop = config::EventLoopKind::kAuto;
  } else if (event_loop == "io_uring") {
    config.event_loop = config::EventLoopKind::kIoUring;
  } else if (event_loop == "epoll") {
    config.event_loop = config::EventLoopKind::kEpoll;
  } else if (!event_loop.empty()) {
    return Failure<std::string>{
        fmt::format("--event-loop takes auto, io_uring or epoll, not \"{}\"", event_loop)};
  }
  if (workers.empty()) {
    return {};
  }
  const auto count = workers == "auto" ? 0 : parse_decimal(workers, kWorkersMax);
  if (!count || (workers != "auto" && *count == 0)) {
    return Failure<std::string>{fmt::format(
        "--workers takes auto or a number from 1 to {}, not \"{}\"", kWorkersMax, workers)};
  }
  config.workers = static_cast<uint32_t>(*count);
  return {};
}

}  // namespace hangu::cli
