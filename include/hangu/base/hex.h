// Bytes as lower-case hexadecimal digits and back, two at a time from a table: request ids, trace
// contexts and digests are written for every request. Pure; any thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

namespace hangu {

namespace detail {

constexpr std::array<char, 512> make_hex_pairs() {
  constexpr char kDigits[] = "0123456789abcdef";
  std::array<char, 512> pairs{};
  for (size_t byte = 0; byte < 256; ++byte) {
    pairs[2 * byte] = kDigits[byte >> 4];
    pairs[2 * byte + 1] = kDigits[byte & 0x0f];
  }
  return pairs;
}

inline constexpr std::array<char, 512> kHexPairs = make_hex_pairs();

}  // namespace detail

/// Returns the place behind the last digit.
inline char* put_hex(char* to, std::span<const uint8_t> bytes) noexcept {
  for (const uint8_t byte : bytes) {
    std::memcpy(to, &detail::kHexPairs[size_t{2} * byte], 2);
    to += 2;
  }
  return to;
}

inline std::string to_hex(std::span<const uint8_t> bytes) {
  std::string text(bytes.size() * 2, '0');
  put_hex(text.data(), bytes);
  return text;
}

/// Fills `out`; false when `text` is not exactly so many digits in lower case.
inline bool read_hex(std::string_view text, std::span<uint8_t> out) noexcept {
  const auto value_of = [](char c) {
    const int letter = c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
    return c >= '0' && c <= '9' ? c - '0' : letter;
  };
  bool good = text.size() == out.size() * 2;
  for (size_t i = 0; good && i < out.size(); ++i) {
    const int high = value_of(text[2 * i]);
    const int low = value_of(text[2 * i + 1]);
    good = high >= 0 && low >= 0;
    out[i] = static_cast<uint8_t>(high << 4 | low);
  }
  return good;
}

}  // namespace hangu
