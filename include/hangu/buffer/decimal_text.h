// A number as text in an arena.
#pragma once

#include <charconv>
#include <cstdint>
#include <string_view>

#include "hangu/buffer/arena.h"

namespace hangu::buffer {

inline std::string_view decimal_text(uint64_t number, Arena& arena) {
  constexpr size_t kDigits = 20;
  char* const begin = arena.allocate(kDigits, 1);
  const char* const end = std::to_chars(begin, begin + kDigits, number).ptr;
  arena.trim(end);
  return {begin, static_cast<size_t>(end - begin)};
}

}  // namespace hangu::buffer
