#include "hangu/config/diagnostic.h"

#include <algorithm>

#include <fmt/format.h>

#include "config/text.h"

namespace hangu::config {

namespace {

struct Colors {
  std::string_view error, warning, faint, accent, reset;
};

constexpr Colors kPlain = {"", "", "", "", ""};
constexpr Colors kAnsi = {"\x1b[1;31m", "\x1b[1;33m", "\x1b[2m", "\x1b[1;36m", "\x1b[0m"};

/// Whether a terminal draws the character two columns wide (CJK and full-width forms).
bool is_wide(std::string_view character) {
  return character.size() == 4 ||
         (character.size() == 3 && static_cast<unsigned char>(character[0]) >= 0xE2 &&
          character >= "\xE2\xBA\x80" && character < "\xEF\xBE\xA0" &&
          !(character >= "\xED\x9F\x80" && character < "\xEF\xA4\x80"));
}

/// Blanks as wide as the characters of the snippet before the column; tabs stay tabs.
std::string padding(std::string_view snippet, uint32_t column) {
  std::string out;
  size_t at = 0;
  for (uint32_t i = 1; i < column && at < snippet.size(); ++i) {
    const size_t length = std::max<size_t>(utf8_length(snippet, at), 1);
    const std::string_view character = snippet.substr(at, length);
    out += character == "\t" ? "\t" : is_wide(character) ? "  " : " ";
    at += length;
  }
  return out;
}

void append(std::string& out, const Diagnostic& diagnostic, const Colors& colors) {
  const bool is_error = diagnostic.severity == Severity::kError;
  out += diagnostic.file;
  if (diagnostic.line != 0) {
    out += fmt::format(":{}:{}", diagnostic.line, diagnostic.column);
  }
  out += fmt::format(": {}{}[{}]{}: {}\n", is_error ? colors.error : colors.warning,
                     is_error ? "error" : "warning", diagnostic.code, colors.reset,
                     diagnostic.message);
  const std::string number = std::to_string(diagnostic.line);
  const std::string margin(number.size(), ' ');
  if (!diagnostic.snippet.empty()) {
    out += fmt::format("  {}{} |{} {}\n", colors.faint, number, colors.reset, diagnostic.snippet);
    out += fmt::format("  {}{} |{} {}{}^{}\n", colors.faint, margin, colors.reset,
                       padding(diagnostic.snippet, diagnostic.column),
                       is_error ? colors.error : colors.warning, colors.reset);
  }
  if (!diagnostic.suggestion.empty()) {
    out += fmt::format("  {} {}= help:{} {}\n", margin, colors.accent, colors.reset,
                       diagnostic.suggestion);
  }
}

std::string plural(size_t count, std::string_view noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

}  // namespace

std::string format_diagnostics(const std::vector<Diagnostic>& diagnostics, bool color) {
  std::string out;
  size_t errors = 0;
  const Diagnostic* first = nullptr;
  for (const Diagnostic& diagnostic : diagnostics) {
    append(out, diagnostic, color ? kAnsi : kPlain);
    errors += diagnostic.severity == Severity::kError ? 1 : 0;
    first = first == nullptr ? &diagnostic : first;
  }
  if (first != nullptr) {
    const size_t warnings = diagnostics.size() - errors;
    out += errors > 0 ? plural(errors, "error") : "";
    out += errors > 0 && warnings > 0 ? ", " : "";
    out += warnings > 0 ? plural(warnings, "warning") : "";
    out += fmt::format("; `hangu explain {}` tells more\n", first->code);
  }
  return out;
}

std::string diagnostics_to_json(const std::vector<Diagnostic>& diagnostics) {
  std::string out = "[";
  for (const Diagnostic& diagnostic : diagnostics) {
    out += out.size() > 1 ? "," : "";
    out += fmt::format("{{\"severity\":\"{}\",\"code\":{},\"file\":{},\"line\":{},\"column\":{},",
                       diagnostic.severity == Severity::kError ? "error" : "warning",
                       json_string(diagnostic.code), json_string(diagnostic.file), diagnostic.line,
                       diagnostic.column);
    out += diagnostic.path.empty() ? "" : "\"path\":" + json_string(diagnostic.path) + ',';
    out += fmt::format("\"message\":{},\"snippet\":{},\"suggestion\":{}}}",
                       json_string(diagnostic.message), json_string(diagnostic.snippet),
                       json_string(diagnostic.suggestion));
  }
  return json_pretty(out + ']');
}

}  // namespace hangu::config
