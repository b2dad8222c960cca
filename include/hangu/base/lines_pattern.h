// LinesPattern: a regular expression that is looked for in many lines at once (RE2): one pass over
// all of them in place of one a line, which is what most of the time goes into where few lines
// match. A match lies within one line; `^` and `$` are the ends of lines. It is a sieve: Pattern
// says of a line that it finds whether it matches. Immutable, any thread.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace re2 {
class RE2;
}

namespace hangu {

class LinesPattern {
 public:
  /// Of an expression that Pattern takes. nullopt: matches of it might be overlooked.
  static std::optional<LinesPattern> compile(std::string_view expression);

  LinesPattern(LinesPattern&&) noexcept;
  LinesPattern& operator=(LinesPattern&&) noexcept;
  ~LinesPattern();

  /// Where in `lines` the first match from there on begins; npos: there is none.
  size_t find(std::string_view lines, size_t from) const noexcept;

 private:
  explicit LinesPattern(std::unique_ptr<const re2::RE2> expression);

  std::unique_ptr<const re2::RE2> expression_;
};

/// The longest text that whatever matches an expression has to hold; empty: none that is plain to
/// see.
std::string text_of_all_matches(std::string_view expression);

}  // namespace hangu
