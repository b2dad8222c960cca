#include "hangu/base/visible.h"

#include <fmt/format.h>

namespace hangu {

std::string visible(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    const bool control = (c >= 0 && c < ' ' && c != '\t') || c == 0x7f;
    if (control) {
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    } else {
      out += c;
    }
  }
  return out;
}

}  // namespace hangu
