#include "hangu/identity/oidc.h"

#include <algorithm>
#include <span>
#include <utility>

#include "hangu/base/base64.h"
#include "hangu/base/parse.h"
#include "hangu/identity/digest.h"
#include "hangu/identity/form.h"
#include "hangu/identity/introspection.h"
#include "hangu/identity/sealer.h"

namespace hangu::identity {
namespace {

constexpr size_t kStateBytes = 16;
constexpr size_t kVerifierBytes = 32;

/// "…/authorize" or "…/authorize?tenant=1" → ready for parameters.
std::string query_of(std::string_view endpoint) {
  std::string out(endpoint);
  if (out.find('?') == std::string::npos) {
    out += '?';
  }
  return out;
}

/// RFC 7636 §4.2, S256.
std::string challenge_of(std::string_view verifier) {
  Digest digest{};
  if (!compute_digest(DigestKind::kSha256, verifier, digest)) {
    return {};
  }
  return encode_base64url({reinterpret_cast<const char*>(digest.data()), digest.size()});
}

void add_client(std::string& form, const OidcClient& client) {
  if (client.secret.empty() || client.in_form) {
    add_parameter(form, "client_id", client.id);
  }
  if (!client.secret.empty() && client.in_form) {
    add_parameter(form, "client_secret", client.secret);
  }
}

/// Some write the number as a string.
int64_t seconds_of(const Claims& answer, std::string_view name) {
  constexpr uint64_t kMost = uint64_t{10} * 365 * 24 * 3600;
  const Claim* const claim = answer.find(name);
  const auto value = claim != nullptr ? parse_decimal(claim->value, kMost) : std::nullopt;
  return value ? static_cast<int64_t>(*value) : 0;
}

/// It may go into a field of a request (RFC 6749 §A.12, without blanks).
bool is_visible(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7f; });
}

IdTokenFault check_claims(const Claims& claims, const IdTokenWants& wants) {
  const size_t audiences = claims.words("aud").size();
  const bool named = claims.contains("azp");
  if ((named && claims.text("azp") != wants.client_id) || (audiences > 1 && !named)) {
    return IdTokenFault::kClient;  // OpenID Connect Core §3.1.3.7, 4 and 5
  }
  if (!wants.nonce.empty() && claims.text("nonce") != wants.nonce) {
    return IdTokenFault::kNonce;
  }
  const std::string_view subject = claims.text("sub");
  if (subject.empty() || (!wants.subject.empty() && subject != wants.subject)) {
    return IdTokenFault::kSubject;
  }
  return claims.contains("exp") ? IdTokenFault::kNone : IdTokenFault::kNoExpiry;
}

}  // namespace

std::string OidcClient::authorization() const {
  return secret.empty() || in_form ? std::string() : client_authorization(id, secret);
}

std::optional<OidcLogin> begin_login(std::string redirect_uri, std::string_view return_to,
                                     int64_t now_s) {
  OidcLogin login{.created_s = now_s,
                  .state = random_text(kStateBytes),
                  .nonce = random_text(kStateBytes),
                  .verifier = random_text(kVerifierBytes),
                  .redirect_uri = std::move(redirect_uri),
                  .return_to = is_local_target(return_to) ? std::string(return_to) : "/"};
  const bool random = !login.state.empty() && !login.nonce.empty() && !login.verifier.empty();
  return random ? std::optional(std::move(login)) : std::nullopt;
}

std::string authorization_address(std::string_view endpoint, const OidcClient& client,
                                  const OidcLogin& login) {
  std::string out = query_of(endpoint);
  add_parameter(out, "response_type", "code");
  add_parameter(out, "client_id", client.id);
  add_parameter(out, "redirect_uri", login.redirect_uri);
  add_parameter(out, "scope", client.scopes);
  add_parameter(out, "state", login.state);
  add_parameter(out, "nonce", login.nonce);
  add_parameter(out, "code_challenge", challenge_of(login.verifier));
  add_parameter(out, "code_challenge_method", "S256");
  return out;
}

std::string end_session_address(std::string_view endpoint, const OidcClient& client,
                                std::string_view id_token,
                                std::string_view post_logout_redirect_uri) {
  std::string out = query_of(endpoint);
  add_parameter(out, "client_id", client.id);
  if (!id_token.empty()) {
    add_parameter(out, "id_token_hint", id_token);
  }
  if (!post_logout_redirect_uri.empty()) {
    add_parameter(out, "post_logout_redirect_uri", post_logout_redirect_uri);
  }
  return out;
}

std::string code_form(const OidcClient& client, std::string_view code, const OidcLogin& login) {
  std::string form = "grant_type=authorization_code&code=";
  form += code;
  add_parameter(form, "redirect_uri", login.redirect_uri);
  add_parameter(form, "code_verifier", login.verifier);
  add_client(form, client);
  return form;
}

std::string refresh_form(const OidcClient& client, std::string_view refresh_token) {
  std::string form = "grant_type=refresh_token";
  add_parameter(form, "refresh_token", refresh_token);
  add_client(form, client);
  return form;
}

std::optional<TokenResponse> read_token_response(std::string_view json, bool is_error) {
  const std::optional<Claims> answer = Claims::parse(json);
  if (!answer) {
    return std::nullopt;
  }
  TokenResponse out{.error = std::string(answer->text("error")),
                    .id_token = std::string(answer->text("id_token")),
                    .access_token = std::string(answer->text("access_token")),
                    .refresh_token = std::string(answer->text("refresh_token")),
                    .scope = std::string(answer->text("scope")),
                    .expires_in = seconds_of(*answer, "expires_in")};
  const bool whole =
      is_error ? !out.error.empty() : !out.access_token.empty() && is_visible(out.access_token);
  return whole ? std::optional(std::move(out)) : std::nullopt;
}

std::string_view IdTokenResult::reason() const {
  switch (fault) {
    case IdTokenFault::kNone: return "none";
    case IdTokenFault::kJwt: return to_string(jwt);
    case IdTokenFault::kNonce: return "nonce";
    case IdTokenFault::kClient: return "audience";
    case IdTokenFault::kSubject: return "subject";
    case IdTokenFault::kNoExpiry: return "malformed";
  }
  return "malformed";
}

IdTokenResult verify_id_token(std::string_view token, const JwtRules& rules, const JwkSet& keys,
                              const IdTokenWants& wants, int64_t now_s) {
  JwtResult verified = verify_jwt(token, rules, keys, now_s);
  IdTokenResult result{.jwt = verified.fault};
  if (verified.fault == JwtFault::kNone) {
    result.fault = check_claims(verified.claims, wants);
    result.claims = std::move(verified.claims);
  }
  return result;
}

}  // namespace hangu::identity
