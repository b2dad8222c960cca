// Strict number parsing: digits only, the whole text, overflow is a failure. No sign, no space, no
// locale. Every number a peer or an operator writes goes through here (never strtol or stoi).
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace hangu {

/// Decimal digits, at least one; nullopt on anything else or when the value exceeds `max`.
std::optional<uint64_t> parse_decimal(std::string_view text, uint64_t max = UINT64_MAX) noexcept;

/// Hexadecimal digits without prefix, at least one; nullopt on anything else or above `max`.
std::optional<uint64_t> parse_hex(std::string_view text, uint64_t max = UINT64_MAX) noexcept;

/// The value of one hexadecimal digit, -1 for any other byte.
int hex_digit_value(char digit) noexcept;

}  // namespace hangu
