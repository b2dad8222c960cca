// The time types of the project. The data plane never asks the clock: it takes `Loop::now()`, read
// once a turn; policies take the time as an argument.
#pragma once

#include <chrono>

namespace hangu {

using Duration = std::chrono::nanoseconds;
using TimePoint = std::chrono::time_point<std::chrono::steady_clock, Duration>;

/// Time of day, for logs and headers only; never for measuring.
using WallTime = std::chrono::time_point<std::chrono::system_clock, Duration>;

}  // namespace hangu
