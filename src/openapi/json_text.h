// JSON text as a value: strict, bounded in depth, and no name twice in one object, since of two the
// gateway might look at one and the upstream at the other.
#pragma once

#include <string>
#include <string_view>

#include <boost/json/value.hpp>

#include "hangu/base/result.h"

namespace hangu::openapi {

inline constexpr size_t kJsonDepthMax = 64;

/// The error says what was expected. `memory` outlives the value.
Result<boost::json::value, std::string> parse_json(std::string_view text,
                                                   boost::json::storage_ptr memory = {});

}  // namespace hangu::openapi
