// Single cookies and query parameters, as they were sent: neither decodes anything. Pure functions;
// the views lie in what was given.
#pragma once

#include <optional>
#include <string_view>

#include "hangu/http/header_block.h"

namespace hangu::http {

/// Of the first parameter of that name in "a=1&b=2"; empty for "a" and "a=".
std::optional<std::string_view> query_parameter(std::string_view query,
                                                std::string_view name) noexcept;

/// Of the first cookie of that name (RFC 6265 §4.2.1).
std::optional<std::string_view> cookie(const HeaderBlock& headers, std::string_view name) noexcept;

}  // namespace hangu::http
