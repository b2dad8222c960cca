// Text of forms (application/x-www-form-urlencoded), as requests to token endpoints and queries
// have it. Pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace hangu::identity {

/// Blanks as %20, which everybody reads.
std::string encode_form(std::string_view text);

/// nullopt: a `%` without two hex digits.
std::optional<std::string> decode_form(std::string_view text);

/// "a=1" → "a=1&name=value", encoded.
void add_parameter(std::string& form, std::string_view name, std::string_view value);

}  // namespace hangu::identity
