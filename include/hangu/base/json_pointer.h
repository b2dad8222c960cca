// JSON pointers (RFC 6901): which part of a document is meant. Pure; any thread.
#pragma once

#include <string>
#include <string_view>

namespace hangu {

/// A member's name as one segment of a pointer.
inline std::string escape_pointer(std::string_view name) {
  std::string text;
  for (const char c : name) {
    text += c == '~' ? "~0" : c == '/' ? "~1" : std::string(1, c);
  }
  return text;
}

}  // namespace hangu
