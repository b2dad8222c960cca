// Introspection: asking the issuer of a token what it is worth (RFC 7662): the question as a form,
// and what an answer means. Pure: the caller brings the time and carries both. Any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "hangu/identity/claims.h"

namespace hangu::identity {

/// What a token has to be beside active.
struct IntrospectionRules {
  std::string issuer;                  // empty: any
  std::vector<std::string> audiences;  // of which it names one; none: any
  std::string scopes_claim = "scope";
  std::vector<std::string> required_scopes;
};

enum class IntrospectionFault : uint8_t {
  kNone,
  kMalformed,  // this is no answer
  kInactive,
  kIssuer,
  kAudience,
  kExpired,
  kNotYetValid,
  kScope,  // it is good, but lacks a scope that is required
};

/// "inactive"; static text.
std::string_view to_string(IntrospectionFault fault) noexcept;

struct IntrospectionResult {
  IntrospectionFault fault = IntrospectionFault::kMalformed;
  Claims claims;          // of a token that is active
  int64_t expires_s = 0;  // Unix time; 0: it does not say
};

/// By how much the clocks of issuer and gateway may differ: it has looked at the times itself.
inline constexpr int64_t kIntrospectionSkewS = 60;

/// `now_s`: Unix time.
IntrospectionResult read_introspection(std::string_view json, const IntrospectionRules& rules,
                                       int64_t now_s);

/// The body of the question.
std::string introspection_form(std::string_view token);

/// "Basic …" of a client, whose parts are encoded as in a form (RFC 6749 §2.3.1).
std::string client_authorization(std::string_view id, std::string_view secret);

}  // namespace hangu::identity
