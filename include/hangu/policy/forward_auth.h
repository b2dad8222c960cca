// What an answer of an authorization service means, and how long it holds. Pure.
#pragma once

#include <cstdint>
#include <string_view>

#include "hangu/base/clock.h"
#include "hangu/config/forward_auth.h"
#include "hangu/http/header_block.h"

namespace hangu::policy {

enum class AuthVerdict : uint8_t {
  kAllow,
  kRefuse,  // and the client is told what the service says
  kError,   // the service could not tell
};

/// 2xx allows. 3xx and 4xx refuse: also those that mean that the service was asked the wrong way,
/// since a client may be able to cause that. All else is an error.
AuthVerdict auth_verdict(int status) noexcept;

/// How long a decision may be given to requests that are alike; 0: not at all. `answer`: the
/// service's fields.
Duration decision_ttl(const config::DecisionCache& cache, AuthVerdict verdict,
                      const http::HeaderBlock& answer) noexcept;

/// A question of the gateway may come back to it as a request: how often it has. `value`: of the
/// field that counts; what is no number counts as too often.
inline constexpr uint32_t kCalloutDepthMax = 3;
uint32_t callout_depth(std::string_view value) noexcept;

}  // namespace hangu::policy
