// Durations as written in the config: a whole number and one unit, "10ms", "5s", "1m", "2h", "1d";
// a bare "0" is zero. No sign, no fraction, no compound such as "1h30m". Pure; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "hangu/base/clock.h"

namespace hangu::config {

/// nullopt on anything else, or beyond kDurationMax.
std::optional<Duration> parse_duration(std::string_view text) noexcept;

/// The largest unit that divides it; "0" for zero. Below a millisecond it is rounded down.
std::string format_duration(Duration duration);

constexpr Duration kDurationMax = std::chrono::hours(24 * 3650);

}  // namespace hangu::config
