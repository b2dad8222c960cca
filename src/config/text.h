// Small text helpers of the config layer: quoting, edit distance, UTF-8 columns, pretty JSON.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "hangu/base/nearest.h"
#include "hangu/base/utf8.h"

namespace hangu::config {

/// `"text"` for messages: control characters escaped, long text cut with "…".
std::string quoted(std::string_view text);

/// A JSON string literal. Bytes that are not UTF-8 become U+FFFD.
std::string json_string(std::string_view text);

/// Whether it is a number in JSON's grammar (RFC 8259 §6).
bool is_json_number(std::string_view text);

/// Re-indents compact JSON by two spaces a level.
std::string json_pretty(std::string_view compact);

/// A YAML scalar that reads back as this string: plain where that is safe, else double-quoted.
std::string yaml_scalar(std::string_view text);

/// `did you mean "x"?`, or empty for an empty `x`.
std::string did_you_mean(std::string_view x);

/// Characters in `text`; a malformed byte counts as one.
size_t utf8_count(std::string_view text);

std::string_view trim(std::string_view text);
std::string join(const std::vector<std::string>& parts, std::string_view separator);

bool is_digit(char c);
bool is_alpha(char c);
bool is_alnum(char c);
bool is_tchar(char c);    // RFC 9110 §5.6.2
bool is_control(char c);  // C0 and DEL

}  // namespace hangu::config
