#include "server/load_sampler.h"

#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <utility>

#include "hangu/base/log.h"

namespace hangu::server {
namespace {

/// The number that a file begins with, such as those of cgroups; none for "max" or without the
/// file.
std::optional<uint64_t> number_in(const std::string& path) {
  std::ifstream file(path);
  std::string text;
  uint64_t value = 0;
  if (!(file >> text) ||
      std::from_chars(text.data(), text.data() + text.size(), value).ec != std::errc{}) {
    return std::nullopt;
  }
  return value;
}

/// The cgroup of this process in the hierarchy of version 2: "/a/b".
std::string own_cgroup() {
  constexpr std::string_view kUnified = "0::";
  std::ifstream file("/proc/self/cgroup");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with(kUnified)) {
      return line.substr(kUnified.size());
    }
  }
  return "/";
}

uint32_t percent_of(uint64_t value, uint64_t most) {
  return most == 0 ? 0 : static_cast<uint32_t>(std::min<uint64_t>(value * 100 / most, 1000));
}

void tell(std::string_view trigger, policy::OverloadStep before, policy::OverloadStep step,
          uint64_t value, uint64_t most) {
  if (step == before) {
    return;
  }
  const log::Level level = step > before ? log::Level::kWarning : log::Level::kInfo;
  log::write(level,
             fmt::format("event=overload_step trigger={} step={} before={} value={} max={}",
                         trigger, policy::to_string(step), policy::to_string(before), value, most));
}

}  // namespace

uint64_t available_memory_bytes() {
  uint64_t least =
      static_cast<uint64_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  std::string group = own_cgroup();
  while (!group.empty()) {
    if (const auto limit = number_in("/sys/fs/cgroup" + group + "/memory.max")) {
      least = std::min(least, *limit);
    }
    group = group == "/" ? "" : group.substr(0, group.rfind('/'));
  }
  for (const char* path : {"/sys/fs/cgroup/memory.max",  // in a cgroup namespace of its own
                           "/sys/fs/cgroup/memory/memory.limit_in_bytes"}) {
    if (const auto limit = number_in(path)) {
      least = std::min(least, *limit);
    }
  }
  return least;
}

uint64_t resident_memory_bytes() {
  std::ifstream file("/proc/self/statm");
  uint64_t size = 0;
  uint64_t resident = 0;
  return file >> size >> resident ? resident * static_cast<uint64_t>(sysconf(_SC_PAGESIZE)) : 0;
}

uint64_t open_descriptors() {
  struct stat about {};

  // From Linux 6.2 on the size of that folder is their number; before, 0.
  if (::stat("/proc/self/fd", &about) == 0 && about.st_size > 0) {
    return static_cast<uint64_t>(about.st_size);
  }
  std::error_code error;
  uint64_t count = 0;
  for (std::filesystem::directory_iterator at("/proc/self/fd", error), end; at != end;
       at.increment(error)) {
    ++count;
  }
  return count;
}

uint64_t descriptors_limit() {
  rlimit limit{};
  return ::getrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_cur : 0;
}

bool is_on(const config::Overload& overload) {
  return overload.enabled && overload.mode != config::Mode::kOff;
}

std::optional<policy::OverloadStep> LoadSampler::sample(const config::Overload& overload,
                                                        TimePoint now) {
  stats_.enabled.set(is_on(overload) ? 1 : 0);
  const policy::OverloadStep step =
      is_on(overload) ? look(overload, now) : policy::OverloadStep::kNone;
  return step != std::exchange(step_, step) ? std::optional(step) : std::nullopt;
}

Duration LoadSampler::interval(const config::Overload& overload) {
  constexpr Duration kLookAgain = std::chrono::seconds(1);  // the config may change
  return is_on(overload) ? overload.interval : kLookAgain;
}

policy::OverloadStep LoadSampler::look(const config::Overload& overload, TimePoint now) {
  const uint64_t memory_max =
      overload.memory_bytes_max != 0 ? overload.memory_bytes_max : available_memory_bytes();
  const uint64_t memory = resident_memory_bytes();
  const uint64_t open_max = descriptors_limit();
  const uint64_t open = open_descriptors();
  const policy::OverloadStep memory_before = memory_.step();
  const policy::OverloadStep open_before = descriptors_.step();
  memory_.update(percent_of(memory, memory_max), overload.memory_percent, now, overload.recovery);
  descriptors_.update(percent_of(open, open_max), overload.descriptors_percent, now,
                      overload.recovery);
  tell("memory", memory_before, memory_.step(), memory, memory_max);
  tell("descriptors", open_before, descriptors_.step(), open, open_max);
  stats_.memory_bytes.set(memory);
  stats_.memory_bytes_max.set(memory_max);
  stats_.memory_step.set(static_cast<uint64_t>(memory_.step()));
  stats_.descriptors.set(open);
  stats_.descriptors_max.set(open_max);
  stats_.descriptors_step.set(static_cast<uint64_t>(descriptors_.step()));
  return std::max(memory_.step(), descriptors_.step());
}

OverloadStatus overload_status(const config::Overload& overload,
                               const stats::OverloadStats& stats) {
  const auto text = [](const stats::Gauge& step) {
    return policy::to_string(static_cast<policy::OverloadStep>(step.value()));
  };
  return {.enabled = is_on(overload),
          .shadow = overload.mode == config::Mode::kShadow,
          .memory = {.value = stats.memory_bytes.value(),
                     .most = stats.memory_bytes_max.value(),
                     .step = text(stats.memory_step)},
          .descriptors = {.value = stats.descriptors.value(),
                          .most = stats.descriptors_max.value(),
                          .step = text(stats.descriptors_step)}};
}

}  // namespace hangu::server
