#include "hangu/base/parse.h"

namespace hangu {

std::optional<uint64_t> parse_decimal(std::string_view text, uint64_t max) noexcept {
  if (text.empty()) {
    return std::nullopt;
  }
  constexpr size_t kSafeDigits = 19;  // 10^19 - 1 is below 2^64
  uint64_t value = 0;
  size_t digits = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') {
      return std::nullopt;
    }
    const auto digit = static_cast<uint64_t>(c - '0');
    if (++digits > kSafeDigits && value > (UINT64_MAX - digit) / 10) {
      return std::nullopt;
    }
    value = value * 10 + digit;
  }
  return value <= max ? std::optional<uint64_t>(value) : std::nullopt;
}

std::optional<uint64_t> parse_hex(std::string_view text, uint64_t max) noexcept {
  if (text.empty()) {
    return std::nullopt;
  }
  uint64_t value = 0;
  for (const char c : text) {
    const int digit = hex_digit_value(c);
    if (digit < 0 || value > (UINT64_MAX >> 4)) {
      return std::nullopt;
    }
    value = (value << 4) | static_cast<uint64_t>(digit);
  }
  return value <= max ? std::optional<uint64_t>(value) : std::nullopt;
}

int hex_digit_value(char digit) noexcept {
  if (digit >= '0' && digit <= '9') {
    return digit - '0';
  }
  const char lower = static_cast<char>(digit | 0x20);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

}  // namespace hangu
