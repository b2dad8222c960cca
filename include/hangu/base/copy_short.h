// copy_short: copies a text that is most often of a few dozen bytes at most, where calling a
// function costs more than what is copied. Pure.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>

namespace hangu {

namespace copy_short_detail {

/// The first and the last `kPart` bytes, which may overlap.
template <size_t kPart>
char* copy_ends(std::string_view text, char* to) noexcept {
  std::copy_n(text.data(), kPart, to);
  std::copy_n(text.data() + text.size() - kPart, kPart, to + text.size() - kPart);
  return to + text.size();
}

}  // namespace copy_short_detail

/// Returns the end of what was written; the two do not overlap.
inline char* copy_short(std::string_view text, char* to) noexcept {
  namespace detail = copy_short_detail;
  if (text.size() > 32) {
    return std::copy_n(text.data(), text.size(), to);
  }
  if (text.size() >= 16) {
    return detail::copy_ends<16>(text, to);
  }
  if (text.size() >= 8) {
    return detail::copy_ends<8>(text, to);
  }
  if (text.size() >= 4) {
    return detail::copy_ends<4>(text, to);
  }
  for (const char c : text) {
    *to++ = c;
  }
  return to;
}

}  // namespace hangu
