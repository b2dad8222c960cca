#include "hangu/identity/logout_token.h"

#include <boost/json.hpp>

#include "hangu/base/base64.h"

namespace hangu::identity {
namespace {

namespace json = boost::json;

constexpr const char* kEvent = "http://schemas.openid.net/event/backchannel-logout";

/// Of a token that was verified. Claims knows nothing of objects that are empty, as this one is.
bool has_event(std::string_view token) {
  const size_t begin = token.find('.') + 1;
  const auto payload = decode_base64url(token.substr(begin, token.find('.', begin) - begin));
  boost::system::error_code error;
  const json::value claims = payload ? json::parse(*payload, error) : json::value();
  const json::object* const object = error ? nullptr : claims.if_object();
  const json::value* const events = object != nullptr ? object->if_contains("events") : nullptr;
  const json::object* const named = events != nullptr ? events->if_object() : nullptr;
  const json::value* const event = named != nullptr ? named->if_contains(kEvent) : nullptr;
  return event != nullptr && event->is_object();
}

LogoutTokenFault fault_of(const LogoutToken& token, const Claims& claims, const JwtRules& rules,
                          int64_t now_s) {
  const auto issued_s = claims.seconds("iat");
  if (!issued_s || *issued_s > now_s + rules.clock_skew_s || token.expires_s == 0) {
    return LogoutTokenFault::kTimes;
  }
  if (claims.contains("nonce")) {
    return LogoutTokenFault::kNonce;
  }
  if (token.subject.empty() && token.session.empty()) {
    return LogoutTokenFault::kNobody;
  }
  return token.number.empty() ? LogoutTokenFault::kNoNumber : LogoutTokenFault::kNone;
}

}  // namespace

std::string_view LogoutToken::reason() const {
  switch (fault) {
    case LogoutTokenFault::kNone: return "none";
    case LogoutTokenFault::kJwt: return to_string(jwt);
    case LogoutTokenFault::kTimes: return "times";
    case LogoutTokenFault::kEvent: return "event";
    case LogoutTokenFault::kNobody: return "subject";
    case LogoutTokenFault::kNonce: return "nonce";
    case LogoutTokenFault::kNoNumber: return "jti";
  }
  return "malformed";
}

LogoutToken verify_logout_token(std::string_view token, const JwtRules& rules, const JwkSet& keys,
                                int64_t now_s) {
  const JwtResult verified = verify_jwt(token, rules, keys, now_s);
  LogoutToken out{.jwt = verified.fault};
  if (verified.fault != JwtFault::kNone) {
    return out;
  }
  out.subject = verified.claims.text("sub");
  out.session = verified.claims.text("sid");
  out.number = verified.claims.text("jti");
  out.expires_s = verified.expires_s;
  out.fault =
      has_event(token) ? fault_of(out, verified.claims, rules, now_s) : LogoutTokenFault::kEvent;
  return out;
}

}  // namespace hangu::identity
