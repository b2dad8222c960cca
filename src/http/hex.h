// Bytes as lower-case hexadecimal digits, two at a time from a table: request ids and trace
// contexts are written for every request.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace hangu::http {

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

}  // namespace hangu::http
