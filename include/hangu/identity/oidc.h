// Oidc: what a client of an OpenID Connect provider says and hears in the authorization code flow
// (OpenID Connect Core §3.1) with PKCE (RFC 7636). Pure: the caller carries it and brings keys and
// time. Any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "hangu/identity/claims.h"
#include "hangu/identity/jwk_set.h"
#include "hangu/identity/jwt.h"
#include "hangu/identity/oidc_session.h"

namespace hangu::identity {

/// As whom the gateway speaks.
struct OidcClient {
  std::string id;
  std::string secret;    // empty: a public client
  bool in_form = false;  // the secret; else Authorization has it
  std::string scopes;    // "openid profile"

  /// Of a request to the token endpoint; empty: it needs none.
  std::string authorization() const;
};

/// With fresh randomness for state, nonce and PKCE. nullopt: there is none.
std::optional<OidcLogin> begin_login(std::string redirect_uri, std::string_view return_to,
                                     int64_t now_s);

/// The address to which a browser is sent to log in.
std::string authorization_address(std::string_view endpoint, const OidcClient& client,
                                  const OidcLogin& login);

/// The same to log out. `id_token`, `post_logout_redirect_uri`: may be empty.
std::string end_session_address(std::string_view endpoint, const OidcClient& client,
                                std::string_view id_token,
                                std::string_view post_logout_redirect_uri);

/// The question to the token endpoint. `code`: as it came in a query, encoded.
std::string code_form(const OidcClient& client, std::string_view code, const OidcLogin& login);
std::string refresh_form(const OidcClient& client, std::string_view refresh_token);

/// Its answer.
struct TokenResponse {
  std::string error;  // "invalid_grant"; empty: it is good
  std::string id_token;
  std::string access_token;
  std::string refresh_token;
  std::string scope;       // empty: what was asked for
  int64_t expires_in = 0;  // seconds; 0: it does not say
};

/// nullopt: it is neither tokens nor an error.
std::optional<TokenResponse> read_token_response(std::string_view json, bool is_error);

enum class IdTokenFault : uint8_t { kNone, kJwt, kNonce, kClient, kSubject, kNoExpiry };

struct IdTokenResult {
  IdTokenFault fault = IdTokenFault::kJwt;
  JwtFault jwt = JwtFault::kMalformed;  // with kJwt: what is wrong
  Claims claims;

  bool good() const { return fault == IdTokenFault::kNone; }

  /// Another key might do.
  bool wants_keys() const {
    return fault == IdTokenFault::kJwt &&
           (jwt == JwtFault::kUnknownKey || jwt == JwtFault::kSignature);
  }

  std::string_view reason() const;
};

/// What an ID token has to say beside `rules`, whose only audience is the client.
struct IdTokenWants {
  std::string_view client_id;
  std::string_view nonce;    // empty: any
  std::string_view subject;  // the same
};

IdTokenResult verify_id_token(std::string_view token, const JwtRules& rules, const JwkSet& keys,
                              const IdTokenWants& wants, int64_t now_s);

}  // namespace hangu::identity
