#include "filter/path_target.h"

#include <algorithm>
#include <utility>

namespace hangu::filter {

std::optional<policy::PathSubstitution> substitution_of(const std::string& regex,
                                                        const std::string& substitution) {
  if (regex.empty()) {
    return std::nullopt;
  }
  auto compiled = policy::PathSubstitution::compile(regex, substitution);
  return compiled ? std::optional(std::move(*compiled)) : std::nullopt;
}

std::string_view substituted_target(const policy::PathSubstitution& substitution,
                                    Stream& stream) noexcept {
  const http::RequestHead& request = stream.request;
  policy::PathSubstitution::Parts parts;
  if (!substitution.find(request.path, parts)) {
    return {};
  }
  const size_t query = request.has_query ? request.query.size() + 1 : 0;
  const size_t most = substitution.bytes_max(request.path, parts) + query;
  char* const begin = stream.arena().allocate(most, 1);
  char* to = substitution.write(request.path, parts, begin);
  if (request.has_query) {
    *to = std::find(begin, to, '?') == to ? '?' : '&';
    to = std::copy(request.query.begin(), request.query.end(), to + 1);
  }
  return {begin, static_cast<size_t>(to - begin)};
}

}  // namespace hangu::filter
