#include "codec/http2/huffman.h"

#include <array>
#include <cstdint>

namespace hangu::codec::http2 {
namespace {

constexpr size_t kSymbols = 257;
constexpr uint32_t kEos = 256;
constexpr unsigned kBitsMax = 30;

// Appendix B: the bits of each symbol's code. The code is canonical: codes of one length follow
// each other in the order of their symbols, and come behind all shorter ones.
constexpr std::array<uint8_t, kSymbols> kBits = {
    13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28,
    28, 28, 28, 28, 28, 28, 28, 28, 6,  10, 10, 12, 13, 6,  8,  11, 10, 10, 8,  11, 8,  6,  6,  6,
    5,  5,  5,  6,  6,  6,  6,  6,  6,  6,  7,  8,  15, 6,  12, 10, 13, 6,  7,  7,  7,  7,  7,  7,
    7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  7,  8,  7,  8,  13, 19, 13, 14, 6,
    15, 5,  6,  5,  6,  5,  6,  6,  6,  5,  7,  7,  6,  6,  6,  5,  6,  7,  6,  5,  5,  6,  7,  7,
    7,  7,  7,  15, 11, 14, 13, 28, 20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23,
    24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24, 22, 21, 20, 22, 22, 23, 23, 21,
    23, 22, 22, 24, 21, 22, 23, 23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23,
    26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26, 27, 24,
    21, 21, 26, 26, 28, 27, 27, 27, 20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23,
    26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26, 30,
};

struct Codes {
  std::array<uint32_t, kSymbols> code{};
  // By length: the first code, how many there are, and where their symbols begin in `by_code`.
  std::array<uint32_t, kBitsMax + 1> first{};
  std::array<uint32_t, kBitsMax + 1> count{};
  std::array<uint32_t, kBitsMax + 1> offset{};
  std::array<uint16_t, kSymbols> by_code{};
};

constexpr Codes make_codes() {
  Codes codes;
  uint32_t next = 0;
  uint32_t placed = 0;
  for (unsigned bits = 1; bits <= kBitsMax; ++bits) {
    next <<= 1U;
    codes.first[bits] = next;
    codes.offset[bits] = placed;
    for (uint32_t symbol = 0; symbol < kSymbols; ++symbol) {
      if (kBits[symbol] == bits) {
        codes.code[symbol] = next++;
        codes.by_code[placed++] = static_cast<uint16_t>(symbol);
        ++codes.count[bits];
      }
    }
  }
  return codes;
}

constexpr Codes kCodes = make_codes();
static_assert(kCodes.code[kEos] == (1U << kBitsMax) - 1);

// Most text is made of codes of at most this many bits: one look at a table decodes them.
constexpr unsigned kTableBits = 10;

struct Decoded {
  uint8_t symbol;
  uint8_t bits;  // 0: a longer code
};

constexpr std::array<Decoded, 1U << kTableBits> make_table() {
  std::array<Decoded, 1U << kTableBits> table{};
  for (uint32_t symbol = 0; symbol < kEos; ++symbol) {
    const unsigned bits = kBits[symbol];
    if (bits > kTableBits) {
      continue;
    }
    const uint32_t first = kCodes.code[symbol] << (kTableBits - bits);
    for (uint32_t i = 0; i < 1U << (kTableBits - bits); ++i) {
      table[first + i] = {static_cast<uint8_t>(symbol), static_cast<uint8_t>(bits)};
    }
  }
  return table;
}

constexpr std::array<Decoded, 1U << kTableBits> kTable = make_table();

struct LongCode {
  uint32_t symbol;
  unsigned bits;
};

/// `window`: the next 64 bits, the first one on top.
LongCode find_long(uint64_t window) {
  for (unsigned bits = kTableBits + 1; bits < kBitsMax; ++bits) {
    const auto code = static_cast<uint32_t>(window >> (64 - bits));
    if (code - kCodes.first[bits] < kCodes.count[bits]) {
      return {kCodes.by_code[kCodes.offset[bits] + code - kCodes.first[bits]], bits};
    }
  }
  const auto code = static_cast<uint32_t>(window >> (64 - kBitsMax));
  return {kCodes.by_code[kCodes.offset[kBitsMax] + code - kCodes.first[kBitsMax]], kBitsMax};
}

}  // namespace

size_t huffman_encoded_bytes(std::string_view text) noexcept {
  size_t bits = 0;
  for (const char c : text) {
    bits += kBits[static_cast<uint8_t>(c)];
  }
  return (bits + 7) / 8;
}

char* huffman_encode(std::string_view text, char* out) noexcept {
  uint64_t held = 0;  // the last `count` bits wait
  unsigned count = 0;
  for (const char c : text) {
    const auto symbol = static_cast<uint8_t>(c);
    held = held << kBits[symbol] | kCodes.code[symbol];
    count += kBits[symbol];
    while (count >= 8) {
      count -= 8;
      *out++ = static_cast<char>(held >> count);
    }
  }
  if (count != 0) {
    *out++ = static_cast<char>(held << (8 - count) | (0xffU >> count));
  }
  return out;
}

char* huffman_decode(std::string_view coded, char* out) noexcept {
  const char* from = coded.data();
  const char* const end = from + coded.size();
  uint64_t window = 0;  // the next bits on top, zeros behind them
  unsigned count = 0;   // how many of them are there
  for (;;) {
    while (count <= 56 && from != end) {
      window |= uint64_t{static_cast<uint8_t>(*from++)} << (56 - count);
      count += 8;
    }
    const Decoded found = kTable[window >> (64 - kTableBits)];
    unsigned bits = found.bits;
    auto symbol = static_cast<uint32_t>(found.symbol);
    if (bits == 0) {
      const LongCode code = find_long(window);
      symbol = code.symbol;
      bits = code.bits;
    }
    if (bits > count) {
      break;
    }
    if (symbol == kEos) {
      return nullptr;
    }
    *out++ = static_cast<char>(symbol);
    window <<= bits;
    count -= bits;
  }
  // What is left is padding: ones, less than a byte.
  const bool ones = count == 0 || window >> (64 - count) == (uint64_t{1} << count) - 1;
  return count < 8 && ones ? out : nullptr;
}

}  // namespace hangu::codec::http2
