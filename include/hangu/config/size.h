// Sizes in bytes and rates as written in the config. A size is a whole number with KiB, MiB, GiB
// (1024) or KB, MB, GB (1000) or B or nothing; a rate is "100/s", "6000/m" or "10/h", of bytes also
// "1MiB/s". No sign, no fraction, no space. Pure; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "hangu/base/clock.h"

namespace hangu::config {

/// nullopt on anything else, and when the bytes exceed 2^63 - 1.
std::optional<uint64_t> parse_size(std::string_view text) noexcept;

/// The largest unit of 1024 that divides it, else plain bytes: "64KiB", "1000".
std::string format_size(uint64_t bytes);

struct Rate {
  uint64_t count = 0;
  Duration per = std::chrono::seconds(1);
  bool operator==(const Rate&) const = default;
};

std::optional<Rate> parse_rate(std::string_view text) noexcept;
std::string format_rate(const Rate& rate);

}  // namespace hangu::config
