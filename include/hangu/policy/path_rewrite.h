// A path in place of the one a request asked for. Pure function.
#pragma once

#include <string_view>

#include "hangu/config/config.h"

namespace hangu::policy {

/// `head` followed by `tail`: never empty together.
struct PathParts {
  std::string_view head;
  std::string_view tail;
};

/// `path` if not empty; else `asked`, the normalised path that `match` took, with `prefix` in place
/// of the prefix matched; `asked` itself when both are empty.
inline PathParts rewrite_path(const config::RouteMatch& match, std::string_view path,
                              std::string_view prefix, std::string_view asked) {
  if (!path.empty() || prefix.empty()) {
    return {path.empty() ? asked : path, {}};
  }
  std::string_view matched = match.path_exact.empty() ? match.path_prefix : match.path_exact;
  if (!matched.empty() && matched.back() == '/') {
    matched.remove_suffix(1);
  }
  const std::string_view tail = asked.substr(matched.size());
  if (!tail.empty() && tail.front() == '/' && prefix.back() == '/') {
    prefix.remove_suffix(1);
  }
  return {prefix, tail};
}

}  // namespace hangu::policy
