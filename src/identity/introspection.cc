#include "hangu/identity/introspection.h"

#include "hangu/base/base64.h"
#include "hangu/identity/form.h"

namespace hangu::identity {
namespace {

bool is_active(const Claims& claims, bool& active) {
  const Claim* const claim = claims.find("active");
  if (claim == nullptr || claim->is_string || claim->in_list ||
      (claim->value != "true" && claim->value != "false")) {
    return false;
  }
  active = claim->value == "true";
  return true;
}

IntrospectionFault fault_of(const Claims& claims, const IntrospectionRules& rules, int64_t now_s) {
  if (!rules.issuer.empty() && claims.text("iss") != rules.issuer) {
    return IntrospectionFault::kIssuer;
  }
  if (!rules.audiences.empty() && !claims.has_any("aud", rules.audiences)) {
    return IntrospectionFault::kAudience;
  }
  if (claims.contains("exp") && claims.seconds("exp").value_or(0) + kIntrospectionSkewS <= now_s) {
    return IntrospectionFault::kExpired;
  }
  if (claims.contains("nbf") &&
      claims.seconds("nbf").value_or(INT64_MAX) > now_s + kIntrospectionSkewS) {
    return IntrospectionFault::kNotYetValid;
  }
  return claims.has_words(rules.scopes_claim, rules.required_scopes) ? IntrospectionFault::kNone
                                                                     : IntrospectionFault::kScope;
}

}  // namespace

std::string_view to_string(IntrospectionFault fault) noexcept {
  switch (fault) {
    case IntrospectionFault::kNone: return "none";
    case IntrospectionFault::kMalformed: return "malformed";
    case IntrospectionFault::kInactive: return "inactive";
    case IntrospectionFault::kIssuer: return "issuer";
    case IntrospectionFault::kAudience: return "audience";
    case IntrospectionFault::kExpired: return "expired";
    case IntrospectionFault::kNotYetValid: return "not_yet_valid";
    case IntrospectionFault::kScope: return "scope";
  }
  return "other";
}

IntrospectionResult read_introspection(std::string_view json, const IntrospectionRules& rules,
                                       int64_t now_s) {
  std::optional<Claims> claims = Claims::parse(json);
  bool active = false;
  if (!claims || !is_active(*claims, active)) {
    return {};
  }
  if (!active) {
    return {.fault = IntrospectionFault::kInactive};
  }
  IntrospectionResult result{.fault = fault_of(*claims, rules, now_s),
                             .expires_s = claims->seconds("exp").value_or(0)};
  result.claims = std::move(*claims);
  return result;
}

std::string introspection_form(std::string_view token) {
  return "token=" + encode_form(token) + "&token_type_hint=access_token";
}

std::string client_authorization(std::string_view id, std::string_view secret) {
  return "Basic " + encode_base64(encode_form(id) + ':' + encode_form(secret));
}

}  // namespace hangu::identity
