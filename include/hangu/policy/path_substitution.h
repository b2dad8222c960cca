// PathSubstitution: what takes the place of the first match of a regular expression in a path, with
// `\1` for what its first group took (`\0`: the whole match). The new text may have a query.
// Immutable, any thread.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "hangu/base/pattern.h"
#include "hangu/base/result.h"

namespace hangu::policy {

class PathSubstitution {
 public:
  static constexpr size_t kPartsMax = 10;

  /// The match and its groups.
  using Parts = std::array<std::string_view, kPartsMax>;

  /// The error is in words.
  static Result<PathSubstitution, std::string> compile(std::string_view regex,
                                                       std::string_view substitution);

  /// False: no match, the path stays as it is.
  bool find(std::string_view path, Parts& parts) const noexcept;

  /// At most so many bytes make the new path.
  size_t bytes_max(std::string_view path, const Parts& parts) const noexcept;

  /// Writes it, with a slash first in any case; returns the end.
  char* write(std::string_view path, const Parts& parts, char* to) const noexcept;

 private:
  struct Piece {
    std::string text;
    int part = -1;  // or one of the match's
  };

  PathSubstitution(Pattern pattern, std::vector<Piece> pieces)
      : pattern_(std::move(pattern)),
        pieces_(std::move(pieces)) {}

  Pattern pattern_;
  std::vector<Piece> pieces_;
};

}  // namespace hangu::policy
