#include "hangu/config/authenticators.h"

namespace hangu::config {

std::string_view target_of_uri(std::string_view uri) {
  constexpr std::string_view kSlashes = "://";
  const size_t authority = uri.find(kSlashes);
  const size_t at =
      authority == std::string_view::npos ? authority : uri.find('/', authority + kSlashes.size());
  return at == std::string_view::npos ? "/" : uri.substr(at);
}

std::string callback_path_of(const OidcAuth& oidc) {
  if (oidc.redirect_uri.empty()) {
    return oidc.callback_path;
  }
  const std::string_view target = target_of_uri(oidc.redirect_uri);
  return std::string(target.substr(0, target.find('?')));
}

bool discovers(const OidcAuth& oidc) {
  return oidc.authorization_endpoint.empty() || oidc.token_path.empty() ||
         (oidc.id_token.jwks_uri.empty() && oidc.id_token.jwks_file.empty());
}

std::string session_cookie_of(const Authenticator& authenticator) {
  return authenticator.oidc.cookie.empty() ? "hangu-" + authenticator.name
                                           : authenticator.oidc.cookie;
}

const std::vector<ClaimHeader>& claim_headers_of(const Authenticator& authenticator) {
  if (authenticator.introspection.enabled) {
    return authenticator.introspection.claim_headers;
  }
  return authenticator.oidc.enabled ? authenticator.oidc.id_token.claim_headers
                                    : authenticator.jwt.claim_headers;
}

const JwtAuth* fetched_keys_of(const Authenticator& authenticator) {
  if (authenticator.oidc.enabled) {
    return &authenticator.oidc.id_token;
  }
  return authenticator.jwt.enabled && authenticator.jwt.secret.text.empty() ? &authenticator.jwt
                                                                            : nullptr;
}

}  // namespace hangu::config
