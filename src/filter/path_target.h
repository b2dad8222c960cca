// The path and query that a route makes of those asked for by a regular expression.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "hangu/filter/stream.h"
#include "hangu/policy/path_substitution.h"

namespace hangu::filter {

/// None when there is no expression; the loader has tried it.
std::optional<policy::PathSubstitution> substitution_of(const std::string& regex,
                                                        const std::string& substitution);

/// Path and query in the stream's arena; empty: the expression does not match. The query asked for
/// comes behind the one that the substitution has.
std::string_view substituted_target(const policy::PathSubstitution& substitution,
                                    Stream& stream) noexcept;

}  // namespace hangu::filter
