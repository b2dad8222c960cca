// Where credentials stand in a request, and how they are taken out of it. Pure but for the stream's
// arena.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hangu/http/header_block.h"

namespace hangu::filter {

class Stream;

/// "Bearer abc" → "abc" for the scheme "Bearer", whatever its case; nullopt: another scheme, none,
/// or more than one field: the upstream might take another one than the gateway.
std::optional<std::string_view> authorization(const Stream& stream,
                                              std::string_view scheme) noexcept;

/// The same of any request's fields.
std::optional<std::string_view> authorization(const http::HeaderBlock& headers,
                                              std::string_view scheme) noexcept;

/// Takes the Authorization fields out if one of them is of that scheme.
void strip_authorization(Stream& stream, std::string_view scheme) noexcept;

/// `Authorization: Bearer`, or else a cookie or parameter of one of these names.
std::optional<std::string_view> bearer_token(const Stream& stream,
                                             const std::vector<std::string>& cookies,
                                             const std::vector<std::string>& query) noexcept;
void strip_bearer_token(Stream& stream, const std::vector<std::string>& cookies,
                        const std::vector<std::string>& query) noexcept;

/// Takes every parameter of these names out of the query that goes to the upstream.
void strip_query_parameters(Stream& stream, const std::vector<std::string>& names) noexcept;

/// Takes the cookies of these names out of the Cookie fields.
void strip_cookies(Stream& stream, const std::vector<std::string>& names) noexcept;

/// Takes out the cookie of this name and those of names that go on with a dot, also where `__Host-`
/// is before it.
void strip_cookie_family(Stream& stream, std::string_view name) noexcept;

}  // namespace hangu::filter
