// The cores that a process may use, for one worker each. Any thread.
#pragma once

#include <sched.h>

#include <cstddef>
#include <vector>

namespace hangu::server {

/// The cores this process may run on.
inline std::vector<int> allowed_cpus() {
  cpu_set_t set;
  CPU_ZERO(&set);
  std::vector<int> cpus;
  if (sched_getaffinity(0, sizeof set, &set) == 0) {
    for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
      if (CPU_ISSET(static_cast<size_t>(cpu), &set)) {
        cpus.push_back(cpu);
      }
    }
  }
  return cpus.empty() ? std::vector<int>{-1} : cpus;
}

}  // namespace hangu::server
