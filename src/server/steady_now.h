// The steady clock as a number of nanoseconds, as policies take the time. Not for shards, which
// have Loop::now().
#pragma once

#include <chrono>
#include <cstdint>

namespace hangu::server {

inline int64_t steady_now_ns() {
  return std::chrono::steady_clock::now().time_since_epoch().count();
}

}  // namespace hangu::server
