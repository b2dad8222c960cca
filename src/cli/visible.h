// Text of others, for the terminal.
#pragma once

#include <string>
#include <string_view>

#include <fmt/format.h>

namespace hangu::cli {

/// Whoever can write the store must not be able to write to the terminal.
inline std::string visible(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool control = (c >= 0 && c < ' ' && c != '\t') || c == 0x7f;
    out += control ? fmt::format("\\x{:02x}", static_cast<unsigned char>(c)) : std::string(1, c);
  }
  return out;
}

}  // namespace hangu::cli
