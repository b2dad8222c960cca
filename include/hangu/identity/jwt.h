// Jwt: verifies a JSON Web Token (RFC 7519, the compact form of RFC 7515) against keys and rules.
// The key says which algorithms it may be used with, never the token; `none` does not exist here.
// Pure: the caller brings the time. Any thread; a verification may take 0.1 ms.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hangu/identity/claims.h"
#include "hangu/identity/jwk_set.h"

namespace hangu::identity {

enum class JwtFault : uint8_t {
  kNone,
  kMalformed,
  kAlgorithm,   // not one of those allowed
  kUnknownKey,  // `kid` is not in the set
  kSignature,
  kCritical,  // asks for an extension (`crit`)
  kType,
  kIssuer,
  kAudience,
  kExpired,
  kNotYetValid,
  kScope,  // it is good, but lacks a scope that is required
};

/// "expired"; static text.
std::string_view to_string(JwtFault fault) noexcept;

/// What a token has to be.
struct JwtRules {
  std::string issuer;
  std::vector<std::string> audiences;  // of which it names one
  std::vector<JwtAlgorithm> algorithms = {JwtAlgorithm::kRs256, JwtAlgorithm::kEs256,
                                          JwtAlgorithm::kEdDsa, JwtAlgorithm::kPs256};
  int64_t clock_skew_s = 60;
  std::string type;  // `typ`; empty: any
  std::string scopes_claim = "scope";
  std::vector<std::string> required_scopes;
};

struct JwtResult {
  JwtFault fault = JwtFault::kMalformed;
  Claims claims;          // of a token whose signature is right
  int64_t expires_s = 0;  // Unix time; 0: never
};

inline constexpr size_t kJwtBytesMax = 8 * 1024;

/// `now_s`: Unix time.
JwtResult verify_jwt(std::string_view token, const JwtRules& rules, const JwkSet& keys,
                     int64_t now_s);

/// Of one that was verified before: nothing of it is checked. nullopt: it is none.
std::optional<Claims> claims_of_jwt(std::string_view token);

}  // namespace hangu::identity
