#include "config/oidc_keys.h"

#include "config/identity_checks.h"
#include "config/keys.h"
#include "config/oidc_checks.h"
#include "config/secret_type.h"
#include "config/token_keys.h"

namespace hangu::config {
namespace {

constexpr auto kIdToken = &OidcAuth::id_token;

void add_client(ObjectType<OidcAuth>& type) {
  type.key<&OidcAuth::client_id>(text(kTextRule), {.name = "client_id",
                                                   .documentation = "As whom the provider knows "
                                                                    "the gateway; ID tokens must "
                                                                    "be for it.",
                                                   .example = "gateway",
                                                   .required = true})
      .key<&OidcAuth::client_secret>(
          std::make_unique<SecretType>(),
          {.name = "client_secret",
           .documentation = "Of that client; a public one has none and is held by PKCE alone.",
           .example = "file:/run/secrets/oidc",
           .alternative = true})
      .key<&OidcAuth::client_authentication>(
          choice<ClientAuthentication>(
              {{"basic", ClientAuthentication::kBasic}, {"post", ClientAuthentication::kPost}}),
          {.name = "client_authentication",
           .documentation = "How the token endpoint gets the secret: by `Authorization: Basic`, or "
                            "in the form.",
           .example = "post"})
      .key<&OidcAuth::scopes>(
          list(text(kTextRule),
               {.name = "list of scopes", .example = "[openid]", .warn_repeated = true}),
          {.name = "scopes",
           .documentation = "What people are asked to consent to; `offline_access`, or whatever "
                            "the provider calls it, for refresh tokens.",
           .example = "[openid, profile, offline_access]"});
}

void add_provider(ObjectType<OidcAuth>& type) {
  type.key<&OidcAuth::authorization_endpoint>(
          text(kHttpUriRule, {.empty_word = "discover"}),
          {.name = "authorization_endpoint",
           .documentation = "Where browsers are sent. What of this and the next four keys is not "
                            "given, the issuer's metadata say (OpenID Connect Discovery).",
           .example = "https://id.example.org/authorize"})
      .key<&OidcAuth::token_path>(
          text(kTargetRule, {.empty_word = "discover"}),
          {.name = "token_path",
           .documentation = "Of the token endpoint, at `upstream`. If discovered, it is the path "
                            "of its address.",
           .example = "/oauth2/token"})
      .key<&OidcAuth::end_session_endpoint>(
          text(kHttpUriRule, {.empty_word = "discover"}),
          {.name = "end_session_endpoint",
           .documentation = "Where browsers are sent to log out there, too.",
           .example = "https://id.example.org/logout"})
      .key<kIdToken, &JwtAuth::jwks_uri>(text(kHttpUriRule, {.empty_word = "discover"}),
                                         {.name = "jwks_uri",
                                          .documentation = "Where to fetch the issuer's keys.",
                                          .example = "https://id.example.org/keys"})
      .key<kIdToken, &JwtAuth::jwks_file>(
          text(kFilePathRule),
          {.name = "jwks_file",
           .documentation = "The same in a file, which is read again when it changes.",
           .example = "/etc/hangu/keys.json",
           .alternative = true});
}

void add_paths(ObjectType<OidcAuth>& type) {
  type.key<&OidcAuth::callback_path>(
          text(kPlainPathRule),
          {.name = "callback_path",
           .documentation = "Where logins come back to, on the host that they began on. A route "
                            "with this authenticator has to have it.",
           .example = "/login/callback"})
      .key<&OidcAuth::redirect_uri>(
          text(kHttpUriRule),
          {.name = "redirect_uri",
           .documentation = "In its place the whole address, for gateways that clients know by "
                            "another name than they ask with.",
           .example = "https://www.example.org/oauth2/callback",
           .alternative = true})
      .key<&OidcAuth::logout_path>(
          text(kPlainPathRule),
          {.name = "logout_path", .documentation = "Ends the session.", .example = "/logout"})
      .key<&OidcAuth::post_logout_redirect_uri>(
          text(kHttpUriRule),
          {.name = "post_logout_redirect_uri",
           .documentation = "Where browsers go in the end; the provider has to know it.",
           .example = "https://www.example.org/bye"})
      .key<&OidcAuth::backchannel_logout_path>(
          text(kPlainPathRule, {.empty_word = "none"}),
          {.name = "backchannel_logout_path",
           .documentation =
               "Where the provider ends sessions (OpenID Connect Back-Channel Logout): "
               "it posts a `logout_token` there. A route with this authenticator has "
               "to have it.",
           .example = "/oauth2/backchannel-logout",
           .alternative = true})
      .key<&OidcAuth::logouts_max>(
          number<uint32_t>({1024, 1 << 24}),
          {.name = "logouts_max",
           .documentation =
               "How many of these ends are remembered on this node, each for "
               "`lifetime`; beyond it the provider hears that they failed. Up to half a kilobyte "
               "each, as they come.",
           .example = "1048576"})
      .key<&OidcAuth::redirect>(
          choice<LoginRedirect>({{"pages", LoginRedirect::kPages},
                                 {"gets", LoginRedirect::kGets},
                                 {"never", LoginRedirect::kNever}}),
          {.name = "redirect",
           .documentation = "Who is sent to log in, others get 401: browsers that ask for a page "
                            "(GET with `Accept: text/html`, no XHR), whoever gets something, or "
                            "nobody.",
           .example = "gets"});
}

void add_session(ObjectType<OidcAuth>& type) {
  type.key<&OidcAuth::secrets>(
          list<Secret>(std::make_unique<SecretType>(32),
                       {.name = "list of secrets", .example = "[\"file:/run/secrets/session\"]"}),
          {.name = "secrets",
           .documentation = "What sessions in cookies are encrypted with: by the first; those of "
                            "all are read, so put a new one in front. The same on all nodes; 4 at "
                            "most. Empty: with keys made of `config_center.keys`, or without those "
                            "at random, by this process for itself and its successors.",
           .example = "[\"file:/run/secrets/session\"]",
           .alternative = true})
      .key<&OidcAuth::cipher>(
          choice<identity::SealCipher>(
              {{"aes-256-gcm", identity::SealCipher::kAes256Gcm},
               {"sm4-ctr-hmac-sm3", identity::SealCipher::kSm4CtrHmacSm3}}),
          {.name = "cipher",
           .documentation =
               "How: sessions and logins of either kind are read, so it can be changed "
               "at any time. `sm4-ctr-hmac-sm3` for where SM4 and SM3 are required.",
           .example = "sm4-ctr-hmac-sm3"})
      .key<&OidcAuth::cookie>(
          text(kCookieNameRule, {.empty_word = "auto"}),
          {.name = "cookie",
           .documentation = "Name of the cookie; `hangu-` and the authenticator's name unless "
                            "given. Over HTTPS `__Host-` is put before it.",
           .example = "session"})
      .key<&OidcAuth::idle_timeout>(
          duration(std::chrono::seconds(1), std::chrono::hours(24 * 30)),
          {.name = "idle_timeout",
           .documentation = "A session ends without requests for so long, or a tenth less: cookies "
                            "are written anew no more often than that.",
           .example = "15m"})
      .key<&OidcAuth::lifetime>(duration(std::chrono::seconds(1), std::chrono::hours(24 * 365)),
                                {.name = "lifetime",
                                 .documentation = "And so long after the login in any case.",
                                 .example = "12h"})
      .key<&OidcAuth::forward_access_token>(
          on_off(), {.name = "forward_access_token",
                     .documentation = "The upstream gets the access token as `Authorization: "
                                      "Bearer`. A session then ends with that token, unless a "
                                      "refresh token brings another.",
                     .example = "on"})
      .key<&OidcAuth::cache_entries>(
          number<uint32_t>({16, 1'000'000}),
          {.name = "cache_entries",
           .documentation = "Sessions that stay decrypted, per worker; each takes about as much "
                            "memory as its cookies.",
           .example = "65536"});
}

}  // namespace

TypePtr<OidcAuth> oidc_auth_keys() {
  auto type = switched<OidcAuth>(
      "{issuer: https://id.example.org, upstream: users, client_id: gateway, secrets: [\"…\"]}");
  ObjectType<OidcAuth>& mapping = type->mapping();
  mapping
      .key<kIdToken, &JwtAuth::issuer>(
          text(kTextRule), {.name = "issuer",
                            .documentation = "The provider, as its ID tokens name it in `iss`.",
                            .example = "https://id.example.org",
                            .required = true})
      .key<&OidcAuth::upstream>(std::make_unique<UpstreamRefType>("upstream", "upstreams"),
                                {.name = "upstream",
                                 .documentation = "The same as an upstream, to ask its token "
                                                  "endpoint.",
                                 .example = "users",
                                 .required = true});
  add_client(mapping);
  add_provider(mapping);
  add_paths(mapping);
  add_session(mapping);
  add_algorithms<kIdToken>(mapping);
  add_clock_skew<kIdToken>(mapping);
  add_key_fetching<kIdToken>(mapping);
  add_consumer_claim<kIdToken>(mapping);
  add_groups_claim<kIdToken>(mapping);
  add_claim_headers<kIdToken>(mapping);
  mapping
      .key<&OidcAuth::timeout>(
          duration(std::chrono::milliseconds(10), std::chrono::minutes(1)),
          {.name = "timeout",
           .documentation = "How long an answer of the token endpoint may take.",
           .example = "2s"})
      .key<&OidcAuth::requests_max>(
          number<uint32_t>({1, 10'000}),
          {.name = "requests_max",
           .documentation = "Logins and refreshes that wait for it at once, per worker.",
           .example = "20"})
      .check(check_oidc);
  return type;
}

}  // namespace hangu::config
