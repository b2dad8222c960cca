// Diagnostics of the config loader: every problem of a file at once, each with its place, a snippet
// and a suggestion, and their renderings (terminal, JSON). The codes are stable: "E01xx" for
// errors, "W01xx" for warnings; the catalogue explains each in a paragraph (`hangu explain E0123`).
// Plain values; any thread. It does not decide exit codes: the caller does.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace hangu::config {

enum class Severity : uint8_t { kError, kWarning };

struct Diagnostic {
  Severity severity = Severity::kError;
  std::string code;        // "E0123"
  std::string file;        // as given to the loader
  uint32_t line = 0;       // from 1; 0: the file as a whole
  uint32_t column = 0;     // from 1, in characters
  std::string message;     // one line, no full stop
  std::string snippet;     // the source line, secrets masked; empty when there is none
  std::string suggestion;  // `did you mean "rate_limit"?`, may be empty
  std::string path = {};   // "routes[2].match"; empty: nobody knows
  bool operator==(const Diagnostic&) const = default;
};

/// The terminal form: `file:line:column: error[E0123]: message`, the snippet with a caret, the
/// suggestion, and a last line that counts errors and warnings. Empty for no diagnostics.
std::string format_diagnostics(const std::vector<Diagnostic>& diagnostics, bool color);

/// A JSON array of objects with the members of Diagnostic; severity is "error" or "warning".
std::string diagnostics_to_json(const std::vector<Diagnostic>& diagnostics);

struct ErrorCode {
  std::string_view code;
  std::string_view title;
  std::string_view explanation;  // one paragraph
};

/// The whole catalogue in order of the codes.
const std::vector<ErrorCode>& error_codes();

/// "E0123: unknown key" and its paragraph; empty for a code that does not exist. Case is ignored.
std::string explain_error_code(std::string_view code);

}  // namespace hangu::config
