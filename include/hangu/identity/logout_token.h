// Logout tokens: what a provider posts to end sessions (OpenID Connect Back-Channel Logout 1.0
// §2.4, §2.6). Pure: the caller brings keys and time, and remembers which tokens it has seen.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "hangu/identity/jwk_set.h"
#include "hangu/identity/jwt.h"

namespace hangu::identity {

enum class LogoutTokenFault : uint8_t {
  kNone,
  kJwt,
  kTimes,    // no `iat` or no `exp`, or an `iat` to come
  kEvent,    // it is about something else
  kNobody,   // neither `sub` nor `sid`
  kNonce,    // it could be an ID token
  kNoNumber  // no `jti`
};

struct LogoutToken {
  LogoutTokenFault fault = LogoutTokenFault::kJwt;
  JwtFault jwt = JwtFault::kMalformed;  // with kJwt: what is wrong
  std::string subject;                  // one of these two may be empty
  std::string session;
  std::string number;     // `jti`
  int64_t expires_s = 0;  // with `clock_skew_s`

  bool good() const { return fault == LogoutTokenFault::kNone; }

  /// Another key might do.
  bool wants_keys() const {
    return fault == LogoutTokenFault::kJwt &&
           (jwt == JwtFault::kUnknownKey || jwt == JwtFault::kSignature);
  }

  /// "event"; static text.
  std::string_view reason() const;
};

/// `rules`: those of ID tokens.
LogoutToken verify_logout_token(std::string_view token, const JwtRules& rules, const JwkSet& keys,
                                int64_t now_s);

}  // namespace hangu::identity
