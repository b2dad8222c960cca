// A path made of captures, in a stream's arena.
#pragma once

#include <span>
#include <string_view>

#include "hangu/buffer/arena.h"
#include "hangu/policy/path_matcher.h"

namespace hangu::filter {

inline std::string_view make_path(const policy::PathMaker& maker,
                                  std::span<const std::string_view> captures,
                                  buffer::Arena& arena) {
  const size_t size = maker.size(captures);
  char* const begin = size != 0 ? arena.allocate(size, 1) : nullptr;
  if (begin != nullptr) {
    maker.write(captures, begin);
  }
  return {begin, size};
}

}  // namespace hangu::filter
