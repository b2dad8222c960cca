// Priority (RFC 9218): how urgent a response is and whether it is useful in parts. Pure.
#pragma once

#include <cstdint>
#include <string_view>

namespace hangu::codec::http2 {

struct Priority {
  static constexpr uint8_t kUrgencyMax = 7;  // the least urgent
  static constexpr uint8_t kUrgencyDefault = 3;

  uint8_t urgency = kUrgencyDefault;
  bool incremental = false;

  bool operator==(const Priority&) const = default;
};

/// Of a Priority field or a PRIORITY_UPDATE frame: "u=1, i". Parameters that are not known, or out
/// of range, count as not there (RFC 9218 §4).
Priority parse_priority(std::string_view text) noexcept;

}  // namespace hangu::codec::http2
