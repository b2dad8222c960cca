// The Date field (RFC 9110 §5.6.7, IMF-fixdate). Pure, nothing allocated, no locale.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace hangu::http {

inline constexpr size_t kDateChars = 29;

/// Writes "Sun, 06 Nov 1994 08:49:37 GMT" for a time from the years 0 to 9999.
void write_date(int64_t unix_seconds, std::span<char, kDateChars> out) noexcept;

/// Of exactly that form, the right day of the week included; nullopt: anything else.
std::optional<int64_t> parse_date(std::string_view text) noexcept;

}  // namespace hangu::http
