// What the operators' log says of circuit breakers.
#pragma once

#include <string_view>

#include "hangu/policy/circuit_breaker.h"

namespace hangu::upstream {

/// `kind`: "upstream" or "route".
void log_change(std::string_view kind, std::string_view name,
                const policy::CircuitBreaker::Change& change);

}  // namespace hangu::upstream
