#include "hangu/base/lines_pattern.h"

#include <re2/re2.h>

#include <algorithm>

#include "hangu/base/pattern.h"

namespace hangu {
namespace {

constexpr std::string_view kQuantifiers = "*+?{";

bool is_word(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/// What means something else at the ends of a text than at those of a line, or could go beyond one;
/// flags other than `i` may. `(?:` and `(?P<name>` are only groups.
bool depends_on_ends(std::string_view expression) {
  for (size_t at = 0; at + 1 < expression.size(); ++at) {
    const char next = expression[at + 1];
    if (expression[at] == '\\') {
      if (next == 'A' || next == 'z' || next == 'C' || next == 'Q') {
        return true;
      }
      ++at;
    } else if (expression[at] == '(' && next == '?') {
      const std::string_view group = expression.substr(at + 2);
      if (!group.starts_with(':') && !group.starts_with("P<") && !group.starts_with("i)") &&
          !group.starts_with("i:")) {
        return true;
      }
    }
  }
  return false;
}

/// Behind a class that begins there: "[^]a-z]".
size_t end_of_class(std::string_view expression, size_t at) {
  ++at;
  at += at < expression.size() && expression[at] == '^' ? 1 : 0;
  at += at < expression.size() && expression[at] == ']' ? 1 : 0;
  while (at < expression.size() && expression[at] != ']') {
    at += expression[at] == '\\' ? 2 : 1;
  }
  return std::min(at + 1, expression.size());
}

/// Behind a group that begins there.
size_t end_of_group(std::string_view expression, size_t at) {
  size_t depth = 0;
  while (at < expression.size()) {
    const char c = expression[at];
    if (c == '[') {
      at = end_of_class(expression, at);
      continue;
    }
    depth += c == '(' ? 1 : 0;
    depth -= c == ')' && depth != 0 ? 1 : 0;
    at += c == '\\' ? 2 : 1;
    if (depth == 0) {
      break;
    }
  }
  return std::min(at, expression.size());
}

/// Of an expression, outside of groups.
struct Part {
  size_t end = 0;
  char plain = '\0';     // that it stands for; else 0
  bool unusual = false;  // what it means is not known here
};

Part escape_at(std::string_view expression, size_t at) {
  constexpr std::string_view kClasses = "dDwWsSbB";
  const char escaped = at + 1 < expression.size() ? expression[at + 1] : 'Q';
  const bool is_class = kClasses.find(escaped) != std::string_view::npos;
  return {.end = at + 2,
          .plain = is_word(escaped) ? '\0' : escaped,
          .unusual = is_word(escaped) && !is_class};
}

Part part_at(std::string_view expression, size_t at) {
  switch (expression[at]) {
    case '\\': return escape_at(expression, at);
    case '|': return {.unusual = true};
    case '[': return {.end = end_of_class(expression, at)};
    case '(': {
      const std::string_view group = expression.substr(at + 1);
      const bool flags =
          group.starts_with('?') && !group.starts_with("?:") && !group.starts_with("?P<");
      return {.end = end_of_group(expression, at), .unusual = flags};
    }
    case '{': {
      const size_t end = expression.find_first_not_of("0123456789,", at + 1);
      return {.end = end + 1, .unusual = end >= expression.size() || expression[end] != '}'};
    }
    case '*':
    case '+':
    case '?':
    case '.':
    case '^':
    case '$': return {.end = at + 1};
    default: return {.end = at + 1, .plain = expression[at]};
  }
}

}  // namespace

LinesPattern::LinesPattern(std::unique_ptr<const re2::RE2> expression)
    : expression_(std::move(expression)) {}

LinesPattern::LinesPattern(LinesPattern&&) noexcept = default;
LinesPattern& LinesPattern::operator=(LinesPattern&&) noexcept = default;
LinesPattern::~LinesPattern() = default;

std::optional<LinesPattern> LinesPattern::compile(std::string_view expression) {
  if (depends_on_ends(expression)) {
    return std::nullopt;
  }
  re2::RE2::Options options(re2::RE2::Latin1);
  options.set_log_errors(false);
  options.set_max_mem(static_cast<int64_t>(Pattern::kProgramBytesMax) * 8);
  options.set_never_nl(true);
  std::string text = "(?m:";
  text.append(expression).append(")");
  auto compiled = std::make_unique<const re2::RE2>(text, options);
  return compiled->ok() ? std::optional(LinesPattern(std::move(compiled))) : std::nullopt;
}

size_t LinesPattern::find(std::string_view lines, size_t from) const noexcept {
  re2::StringPiece found;
  const re2::StringPiece all(lines.data(), lines.size());
  return expression_->Match(all, from, lines.size(), re2::RE2::UNANCHORED, &found, 1)
             ? static_cast<size_t>(found.data() - lines.data())
             : std::string_view::npos;
}

/// Only what stands there plainly, outside of groups; of anything unusual nothing is said.
std::string text_of_all_matches(std::string_view expression) {
  std::string best;
  std::string run;
  const auto end_run = [&] {
    best = run.size() > best.size() ? run : best;
    run.clear();
  };
  if (expression.find("[:") != std::string_view::npos ||
      expression.find("\\Q") != std::string_view::npos) {
    return {};
  }
  for (size_t at = 0; at < expression.size();) {
    const Part part = part_at(expression, at);
    if (part.unusual) {
      return {};
    }
    const bool counted = part.end < expression.size() &&
                         kQuantifiers.find(expression[part.end]) != std::string_view::npos;
    if (part.plain == '\0' || counted) {
      end_run();
    } else {
      run += part.plain;
    }
    at = part.end;
  }
  end_run();
  return best;
}

}  // namespace hangu
