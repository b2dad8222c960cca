// `hangu version`: what this binary is made of, and which event loops this machine lets it use.
#include <linux/io_uring.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>

#include <ares.h>
#include <boost/json.hpp>
#include <boost/version.hpp>
#include <fmt/format.h>
#include <spdlog/version.h>

#include "hangu/admin/json.h"
#include "hangu/base/sanitizer.h"

#include "cli/terminal.h"
#include "cli/verbs.h"

namespace hangu::cli {
namespace {

namespace json = boost::json;

std::string build_type() {
#if HANGU_ASAN
  return "address sanitizer";
#elif HANGU_TSAN
  return "thread sanitizer";
#elif defined(NDEBUG)
  return "release";
#elif defined(__OPTIMIZE__)
  return "optimised, with assertions";
#else
  return "debug";
#endif
}

std::string compiler() {
#if defined(__clang__)
  return fmt::format("clang {}.{}.{}", __clang_major__, __clang_minor__, __clang_patchlevel__);
#else
  return fmt::format("g++ {}.{}.{}", __GNUC__, __GNUC_MINOR__, __GNUC_PATCHLEVEL__);
#endif
}

/// "available", or why not.
std::string io_uring_state() {
  io_uring_params parameters{};
  const long fd = ::syscall(__NR_io_uring_setup, 2, &parameters);
  if (fd >= 0) {
    ::close(static_cast<int>(fd));
    return "available";
  }
  const int error = errno;
  std::ifstream sysctl("/proc/sys/kernel/io_uring_disabled");
  std::string value;
  if (error == EPERM && sysctl >> value && value != "0") {
    return fmt::format("forbidden by kernel.io_uring_disabled={}", value);
  }
  return error == ENOSYS ? std::string("not in this kernel, or filtered (ENOSYS)")
                         : fmt::format("unavailable: {}", std::strerror(error));
}

std::string kernel() {
  utsname name{};
  return ::uname(&name) == 0 ? fmt::format("{} {} {}", name.sysname, name.release, name.machine)
                             : std::string("unknown");
}

json::object collect() {
  const auto fmt_version =
      fmt::format("{}.{}.{}", FMT_VERSION / 10000, FMT_VERSION / 100 % 100, FMT_VERSION % 100);
  const auto boost_version = fmt::format("{}.{}.{}", BOOST_VERSION / 100000,
                                         BOOST_VERSION / 100 % 1000, BOOST_VERSION % 100);
  const auto spdlog_version =
      fmt::format("{}.{}.{}", SPDLOG_VER_MAJOR, SPDLOG_VER_MINOR, SPDLOG_VER_PATCH);
  return {{"version", HANGU_VERSION},
          {"build", build_type()},
          {"compiler", compiler()},
          {"libraries",
           {{"boost", boost_version},
            {"c-ares", ares_version(nullptr)},
            {"fmt", fmt_version},
            {"spdlog", spdlog_version}}},
          {"kernel", kernel()},
          {"event_loops", {{"io_uring", io_uring_state()}, {"epoll", "available"}}}};
}

void print_members(const json::object& object, const Environment& environment) {
  for (const auto& [key, value] : object) {
    environment.out << fmt::format("  {:<10} {}\n", std::string_view(key),
                                   std::string_view(value.as_string()));
  }
}

}  // namespace

int version(const VersionOptions& options, const Environment& environment) {
  const json::object all = collect();
  if (options.json) {
    environment.out << admin::pretty(all) << '\n';
    return kOk;
  }
  environment.out << fmt::format("hangu {}\nbuild: {}, {}\nkernel: {}\nlibraries:\n", HANGU_VERSION,
                                 build_type(), compiler(), kernel());
  print_members(all.at("libraries").as_object(), environment);
  environment.out << "event loops:\n";
  print_members(all.at("event_loops").as_object(), environment);
  return kOk;
}

}  // namespace hangu::cli
