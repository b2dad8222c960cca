#include "filter/path_target.h"

#include <utility>

#include "hangu/policy/path_target.h"

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
  return policy::substituted_target(substitution, request.path, request.has_query, request.query,
                                    [&](size_t size) { return stream.arena().allocate(size, 1); });
}

}  // namespace hangu::filter
