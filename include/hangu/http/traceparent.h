// The traceparent field of W3C Trace Context level 1: parse strictly, make a new one. Pure
// functions, nothing allocated. An invalid field is no error: the trace begins anew.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace hangu::http {

inline constexpr size_t kTraceparentChars = 55;

struct Traceparent {
  std::string_view trace_id;   // 32 lower-case hexadecimal digits, not all 0
  std::string_view parent_id;  // 16
  uint8_t flags = 0;

  bool sampled() const { return (flags & 1) != 0; }
};

/// Nullopt unless it is valid. Of a version above 00 what level 1 knows is read.
std::optional<Traceparent> parse_traceparent(std::string_view value) noexcept;

/// Writes a field of version 00 from 16 and 8 random bytes.
void write_traceparent(std::span<const uint8_t, 16> trace_id, std::span<const uint8_t, 8> parent_id,
                       bool sampled, std::span<char, kTraceparentChars> out) noexcept;

/// Writes the field for the next hop of the same trace: only the parent is new.
void write_traceparent(const Traceparent& from, std::span<const uint8_t, 8> parent_id,
                       std::span<char, kTraceparentChars> out) noexcept;

}  // namespace hangu::http
