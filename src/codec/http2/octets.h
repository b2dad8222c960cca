// Numbers in network byte order (RFC 9113 §2.2), at any alignment.
#pragma once

#include <cstdint>

namespace hangu::codec::http2 {

inline uint32_t octet(char byte) {
  return static_cast<unsigned char>(byte);
}

inline uint16_t read_u16(const char* from) {
  return static_cast<uint16_t>((octet(from[0]) << 8) | octet(from[1]));
}

inline uint32_t read_u24(const char* from) {
  return (octet(from[0]) << 16) | (octet(from[1]) << 8) | octet(from[2]);
}

inline uint32_t read_u32(const char* from) {
  return (octet(from[0]) << 24) | read_u24(from + 1);
}

/// Without the reserved bit, which a receiver ignores.
inline uint32_t read_u31(const char* from) {
  return read_u32(from) & 0x7fffffff;
}

inline void write_u16(char* to, uint16_t value) {
  to[0] = static_cast<char>(value >> 8);
  to[1] = static_cast<char>(value);
}

inline void write_u24(char* to, uint32_t value) {
  to[0] = static_cast<char>(value >> 16);
  to[1] = static_cast<char>(value >> 8);
  to[2] = static_cast<char>(value);
}

inline void write_u32(char* to, uint32_t value) {
  to[0] = static_cast<char>(value >> 24);
  write_u24(to + 1, value);
}

}  // namespace hangu::codec::http2
