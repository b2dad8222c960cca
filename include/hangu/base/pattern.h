// Pattern: a regular expression of the config (RE2: the time to match grows with the length of the
// text alone, whatever the expression). Compiled off the shards, immutable, any thread. Texts are
// bytes; expression and program are bounded. A match with RE2's automaton takes a reader lock that
// RE2 has inside, so patterns are for those who ask for them, never on every request's way.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "hangu/base/result.h"

namespace re2 {
class RE2;
}

namespace hangu {

class Pattern {
 public:
  static constexpr size_t kExpressionBytesMax = 1024;
  static constexpr size_t kProgramBytesMax = 1 << 20;  // compiled, with RE2's cache of states
  static constexpr size_t kGroupsMax = 15;             // that a match can tell

  /// The error says what is wrong with the expression, in words for the one who wrote it.
  static Result<Pattern, std::string> compile(std::string_view expression);

  Pattern(Pattern&&) noexcept;
  Pattern& operator=(Pattern&&) noexcept;
  ~Pattern();

  std::string_view text() const;

  /// The groups in parentheses, in order; "" for one without a name: `(?P<name>...)`.
  const std::vector<std::string>& groups() const { return groups_; }

  /// Whether the whole text matches.
  bool matches(std::string_view text) const noexcept;

  /// The same; fills `groups` with what the groups took, the first group first. A group that took
  /// no part in the match is a null view.
  bool matches(std::string_view text, std::span<std::string_view> groups) const noexcept;

  /// The first match anywhere in the text: `parts[0]` is the match, then its groups; with no
  /// `parts` it is found in half the time.
  bool find(std::string_view text, std::span<std::string_view> parts) const noexcept;

  /// False when the whole text cannot match, by its first bytes: a cheap look before a match.
  bool may_match(std::string_view text) const noexcept {
    return !bounded_ || (text >= least_ && text <= most_);
  }

 private:
  explicit Pattern(std::unique_ptr<const re2::RE2> expression);

  std::unique_ptr<const re2::RE2> expression_;
  std::vector<std::string> groups_;
  bool bounded_ = false;  // by the two: the first and the last text that can match
  std::string least_;
  std::string most_;
};

}  // namespace hangu
