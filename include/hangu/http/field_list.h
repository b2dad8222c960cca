// Fields whose value is a list, which may be spread over several lines (RFC 9110 §5.3). Pure
// functions.
#pragma once

#include <string_view>

#include "hangu/http/header_block.h"

namespace hangu::http {

/// Whether one of the fields of that name has the element, parameters not counted, without regard
/// to case.
bool list_contains(const HeaderBlock& headers, HeaderName name, std::string_view element) noexcept;

/// Says in Vary that the response depends on the request's field `name`, which is static text.
void add_vary(HeaderBlock& headers, std::string_view name) noexcept;

}  // namespace hangu::http
