// Search: picks lines of an audit log by time, members, text and regular expression. Immutable; any
// number of threads. It works on pieces of whole lines, without parsing them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hangu/base/clock.h"
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

  /// The matching lines of a piece, with their line feeds.
  std::string select(const std::string& piece) const;

  const SearchOptions& options() const { return options_; }

 private:
  Search(SearchOptions options, std::optional<Pattern> pattern);

  SearchOptions options_;
  std::optional<Pattern> pattern_;
  std::string needle_;  // every matching line holds it; may be empty
};

}  // namespace hangu::audit
