// Search: picks lines of an audit log by time, members, text and regular expression. Immutable; any
// number of threads. It works on pieces of whole lines, without parsing them: what every matching
// line holds is looked for through all of them at once, and only where it is found a line is looked
// at.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hangu/audit/archive.h"
#include "hangu/base/clock.h"
#include "hangu/base/lines_pattern.h"
#include "hangu/base/pattern.h"
#include "hangu/base/result.h"

namespace hangu::audit {

/// "2026-11-26", "2026-11-26T10:30", "2026-11-26T10:30:00.5Z" (UTC), or a time before `now`: "90s",
/// "15m", "2h", "7d". As the log writes it, so that texts compare as times do; nullopt: neither.
std::optional<std::string> parse_log_time(std::string_view text, WallTime now);

struct SearchOptions {
  std::string since;  // parse_log_time(); empty: from the beginning
  std::string until;  // before this
  /// Member and value; a value that ends with `*` is a beginning.
  std::vector<std::pair<std::string, std::string>> members;
  std::vector<std::string> texts;  // somewhere in the line, as they stand
  std::string pattern;             // of a regular expression; empty: any
};

class Search {
 public:
  /// The error says what is wrong with the expression.
  static Result<Search, std::string> create(SearchOptions options);

  bool matches(std::string_view line) const;

  /// False: everything in a complete file is too old.
  bool is_worth_reading(const ArchivedFile& file) const;

  /// The matching lines of a piece, with their line feeds.
  std::string select(std::string_view piece) const;

  /// How many these are.
  uint64_t count(std::string_view piece) const;

  const SearchOptions& options() const { return options_; }

 private:
  explicit Search(SearchOptions options);

  bool is_in_time(std::string_view line) const;
  /// Whether a line fits that is of the time that is wanted.
  bool fits(std::string_view line) const;
  /// `take(std::string_view lines)`, whole ones, of those of a piece that match; some at once.
  template <class Take>
  void for_each_match(std::string_view piece, const Take& take) const;
  template <class Take>
  void search_within(std::string_view lines, const Take& take) const;
  size_t next_candidate(std::string_view lines, size_t from) const;
  void add_needle(std::string text);

  SearchOptions options_;
  std::optional<Pattern> pattern_;
  std::optional<LinesPattern> lines_pattern_;  // finds every line that `pattern_` matches
  std::vector<std::string> needles_;           // every matching line holds all of them
};

}  // namespace hangu::audit
