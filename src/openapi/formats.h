// Formats of strings and numbers that are checked; all others say something to readers only.
#pragma once

#include <cstdint>
#include <string_view>

namespace hangu::openapi {

enum class Format : uint8_t { kNone, kInt32, kInt64, kUuid, kDate, kDateTime, kIpv4, kIpv6 };

/// kNone for one that is not checked.
Format format_named(std::string_view name) noexcept;

/// "a date as 2026-01-31".
std::string_view describe(Format format) noexcept;

/// Of a string; formats of numbers take any.
bool fits(Format format, std::string_view text) noexcept;

}  // namespace hangu::openapi
