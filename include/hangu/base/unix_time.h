// A WallTime as records, tokens and other programs write it: counted from 1970 on, rounded down.
// Pure.
#pragma once

#include <chrono>
#include <cstdint>

#include "hangu/base/clock.h"

namespace hangu {

constexpr int64_t unix_seconds(WallTime time) noexcept {
  return std::chrono::floor<std::chrono::seconds>(time.time_since_epoch()).count();
}

constexpr int64_t unix_milliseconds(WallTime time) noexcept {
  return std::chrono::floor<std::chrono::milliseconds>(time.time_since_epoch()).count();
}

}  // namespace hangu
