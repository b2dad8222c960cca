// Eight bytes of a text looked at in one step: which of them are of a kind says the upper bit of
// each byte of a word, the first of them in the lowest place. Pure.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>

namespace hangu {

/// The same byte eight times.
constexpr uint64_t each_byte(uint8_t byte) noexcept {
  return byte * UINT64_C(0x0101010101010101);
}

inline constexpr uint64_t kByteMarks = each_byte(0x80);

inline uint64_t eight_bytes(const char* from) noexcept {
  static_assert(std::endian::native == std::endian::little);
  std::array<char, sizeof(uint64_t)> bytes;
  std::copy_n(from, bytes.size(), bytes.begin());
  return std::bit_cast<uint64_t>(bytes);
}

/// Those that are `byte`; behind the first one perhaps others.
constexpr uint64_t first_mark_of(uint8_t byte, uint64_t bytes) noexcept {
  const uint64_t difference = bytes ^ each_byte(byte);
  return (difference - each_byte(1)) & ~difference & kByteMarks;
}

/// Those below `bound`, which is at most 0x80; behind the first one perhaps others.
constexpr uint64_t first_mark_below(uint8_t bound, uint64_t bytes) noexcept {
  return (bytes - each_byte(bound)) & ~bytes & kByteMarks;
}

/// Decimal digits, exactly those.
constexpr uint64_t digit_marks(uint64_t bytes) noexcept {
  const uint64_t low = bytes & ~kByteMarks;  // no carry from one to the next
  const uint64_t from_zero = low + each_byte(0x80 - '0');
  const uint64_t past_nine = low + each_byte(0x7f - '9');
  return from_zero & ~past_nine & ~bytes & kByteMarks;
}

}  // namespace hangu
