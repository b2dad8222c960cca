// Where a redirect or a rewrite leads. Pure functions, for filters and for those who explain them.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "hangu/config/config.h"
#include "hangu/http/text.h"
#include "hangu/policy/path_substitution.h"

namespace hangu::policy {

/// Path and query that `substitution` makes of those asked for, in what `allocate(size)` gives;
/// empty: the expression does not match. The query asked for comes behind the one that the
/// substitution has.
template <class Allocate>
std::string_view substituted_target(const PathSubstitution& substitution, std::string_view path,
                                    bool has_query, std::string_view query,
                                    const Allocate& allocate) {
  PathSubstitution::Parts parts;
  if (!substitution.find(path, parts)) {
    return {};
  }
  const size_t most = substitution.bytes_max(path, parts) + (has_query ? query.size() + 1 : 0);
  char* const begin = allocate(most);
  char* to = substitution.write(path, parts, begin);
  if (has_query) {
    *to = std::find(begin, to, '?') == to ? '?' : '&';
    to = std::copy(query.begin(), query.end(), to + 1);
  }
  return {begin, static_cast<size_t>(to - begin)};
}

struct RedirectAddress {
  std::string_view scheme;
  std::string_view host;
  uint32_t port = 0;  // 0: that of the scheme
};

/// Of the address asked for, what the redirect does not name; `port`: 0 when none was given. With
/// another scheme or host the port does not stay.
inline RedirectAddress redirect_address(const config::Redirect& redirect, std::string_view scheme,
                                        std::string_view host, uint32_t port) {
  RedirectAddress to{.scheme = redirect.scheme.empty() ? scheme : redirect.scheme,
                     .host = redirect.host.empty() ? host : redirect.host};
  const bool moves = to.scheme != scheme || !redirect.host.empty();
  to.port = redirect.port != 0 ? redirect.port : moves ? 0 : port;
  if (to.port == (to.scheme == "https" ? 443U : 80U)) {
    to.port = 0;
  }
  return to;
}

/// Whether what a rewrite makes of a request can be the host that the upstream sees.
inline bool is_forward_host(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return http::is_alnum(c) || std::string_view("-._:[]").find(c) != std::string_view::npos;
  });
}

}  // namespace hangu::policy
