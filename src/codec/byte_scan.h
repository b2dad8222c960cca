// Finding the next byte of interest, 16 bytes at a time where the machine can (SSE2 is in every
// x86-64, NEON in every AArch64), one by one in shorter texts and elsewhere. No byte behind `end`
// is read.
#pragma once

#include <bit>
#include <cstdint>

#if defined(__SSE2__)
#include <emmintrin.h>
#elif defined(__ARM_NEON) && defined(__aarch64__)
#include <arm_neon.h>
#endif

namespace hangu::codec {

#if defined(__SSE2__)

class Vector {
 public:
  static Vector load(const char* from) {
    return Vector(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from)));
  }

  Vector equals(char c) const { return Vector(_mm_cmpeq_epi8(bytes_, _mm_set1_epi8(c))); }

  /// Unsigned.
  Vector at_most(char c) const {
    return Vector(_mm_cmpeq_epi8(_mm_min_epu8(bytes_, _mm_set1_epi8(c)), bytes_));
  }

  Vector operator|(Vector other) const { return Vector(_mm_or_si128(bytes_, other.bytes_)); }

  Vector and_not(Vector other) const { return Vector(_mm_andnot_si128(other.bytes_, bytes_)); }

  /// Not 0 when any byte is set; first() tells which.
  uint64_t mask() const { return static_cast<uint32_t>(_mm_movemask_epi8(bytes_)); }

  static int first(uint64_t mask) { return std::countr_zero(mask); }

  /// Without the first `count` bytes, which are fewer than all.
  static uint64_t without(uint64_t mask, int count) { return mask >> count << count; }

 private:
  explicit Vector(__m128i bytes)
      : bytes_(bytes) {}

  __m128i bytes_;
};

#elif defined(__ARM_NEON) && defined(__aarch64__)

class Vector {
 public:
  static Vector load(const char* from) {
    return Vector(vld1q_u8(reinterpret_cast<const uint8_t*>(from)));
  }

  Vector equals(char c) const {
    return Vector(vceqq_u8(bytes_, vdupq_n_u8(static_cast<uint8_t>(c))));
  }

  Vector at_most(char c) const {
    return Vector(vcleq_u8(bytes_, vdupq_n_u8(static_cast<uint8_t>(c))));
  }

  Vector operator|(Vector other) const { return Vector(vorrq_u8(bytes_, other.bytes_)); }

  Vector and_not(Vector other) const { return Vector(vbicq_u8(bytes_, other.bytes_)); }

  // Four bits a byte.
  uint64_t mask() const {
    const uint8x8_t narrow = vshrn_n_u16(vreinterpretq_u16_u8(bytes_), 4);
    return vget_lane_u64(vreinterpret_u64_u8(narrow), 0);
  }

  static int first(uint64_t mask) { return std::countr_zero(mask) / 4; }

  static uint64_t without(uint64_t mask, int count) { return mask >> 4 * count << 4 * count; }

 private:
  explicit Vector(uint8x16_t bytes)
      : bytes_(bytes) {}

  uint8x16_t bytes_;
};

#else

#endif

/// The first byte for which `Wanted` says yes, or `end`. Wanted::vector(Vector) and
/// Wanted::byte(char) say the same of sixteen bytes and of one.
template <class Wanted>
inline const char* find_byte(const char* from, const char* end, Wanted wanted) {
#if defined(__SSE2__) || (defined(__ARM_NEON) && defined(__aarch64__))
  constexpr int kBytes = 16;
  if (end - from >= kBytes) {
    do {
      const uint64_t mask = wanted.vector(Vector::load(from)).mask();
      if (mask != 0) {
        return from + Vector::first(mask);
      }
      from += kBytes;
    } while (end - from >= kBytes);
    if (from == end) {
      return end;
    }
    // The last ones together with some of those that have been seen.
    const char* const last = end - kBytes;
    const uint64_t mask =
        Vector::without(wanted.vector(Vector::load(last)).mask(), static_cast<int>(from - last));
    return mask != 0 ? last + Vector::first(mask) : end;
  }
#endif
  while (from != end && !wanted.byte(*from)) {
    ++from;
  }
  return from;
}

template <char C>
struct IsByte {
  template <class V>
  V vector(V bytes) const {
    return bytes.equals(C);
  }

  bool byte(char c) const { return c == C; }
};

/// What ends a field value: every control byte but the tab.
struct EndsValue {
  template <class V>
  V vector(V bytes) const {
    return bytes.at_most('\x1f').and_not(bytes.equals('\t')) | bytes.equals('\x7f');
  }

  bool byte(char c) const {
    return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == '\x7f';
  }
};

/// What ends a request target, or may not be in it: control bytes, the space and '#'.
struct EndsTarget {
  template <class V>
  V vector(V bytes) const {
    return bytes.at_most(' ') | bytes.equals('\x7f') | bytes.equals('#');
  }

  bool byte(char c) const {
    return static_cast<unsigned char>(c) <= 0x20 || c == '\x7f' || c == '#';
  }
};

}  // namespace hangu::codec
