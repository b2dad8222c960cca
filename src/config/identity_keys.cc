// The keys of consumers, authenticators and of what routes ask for. See schema.cc.
#include "config/identity_keys.h"

#include "config/header_types.h"
#include "config/identity_checks.h"
#include "config/keys.h"
#include "config/oidc_keys.h"
#include "config/secret_type.h"
#include "config/signature_keys.h"
#include "config/token_keys.h"

namespace hangu::config {
namespace {

TypePtr<std::vector<std::string>> names(std::string_view what, std::string_view example) {
  return list(text(kTextRule), {.name = what, .example = example, .warn_repeated = true});
}

TypePtr<ApiKey> api_key() {
  auto type = object<ApiKey>("API key");
  type->key<&ApiKey::id>(text(kNameRule), {.name = "id",
                                           .documentation = "Name of this key, for logs.",
                                           .example = "k2026",
                                           .required = true})
      .key<&ApiKey::hash>(
          text(kKeyHashRule),
          {.name = "hash",
           .documentation = "Its digest, as `hangu key` prints it; the key itself is in no "
                            "config. With two keys a client can change from one to the next.",
           .example = "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
           .required = true})
      .key<&ApiKey::expires_s>(std::make_unique<TimeType>(),
                               {.name = "expires",
                                .documentation = "Refused from then on (UTC).",
                                .example = "2027-01-31T00:00:00Z"})
      .key<&ApiKey::scopes>(names("list of scopes", "[read]"),
                            {.name = "scopes",
                             .documentation = "What this key is good for, beside the consumer's.",
                             .example = "[read]"});
  return type;
}

TypePtr<Password> password() {
  auto type = object<Password>("password");
  type->key<&Password::user>(text(kUserRule), {.name = "user",
                                               .documentation = "What the client calls itself.",
                                               .example = "app-1",
                                               .required = true})
      .key<&Password::hash>(
          std::make_unique<PasswordHashType>(),
          {.name = "hash",
           .documentation = "Of the password, by argon2id or bcrypt, as `hangu hash-password` "
                            "prints it.",
           .example = "\"$argon2id$v=19$m=19456,t=2,p=1$c29tZSBzYWx0IG9mIDE2Yg$"
                      "k1Yq0m4h6m3QyqJ0b8mYw3q0w9l6n2m5p7r8s1t2u3w\"",
           .required = true});
  return type;
}

TypePtr<BasicAuth> basic_auth() {
  auto type = switched<BasicAuth>("{realm: staff}");
  type->mapping()
      .key<&BasicAuth::realm>(text(kRealmRule), {.name = "realm",
                                                 .documentation = "What the client is told it is "
                                                                  "asked for.",
                                                 .example = "staff"})
      .key<&BasicAuth::attempts>(
          number<uint32_t>({0, 1000, {}, "no limit"}),
          {.name = "attempts",
           .documentation = "Wrong passwords for one user from one address; then 429.",
           .example = "10"})
      .key<&BasicAuth::lockout>(
          duration(seconds(1), hours(24)),
          {.name = "lockout",
           .documentation = "Within what time they count, and how long nobody listens then.",
           .example = "1h"})
      .key<&BasicAuth::cache>(
          duration(seconds(1), hours(1)),
          {.name = "cache",
           .documentation = "How long a right password is remembered, by a keyed digest.",
           .example = "1m"})
      .key<&BasicAuth::pending_max>(
          number<uint32_t>({1, 1024}),
          {.name = "pending_max",
           .documentation = "Passwords that wait to be verified, per worker; beyond it 503.",
           .example = "16"});
  return type;
}

TypePtr<ApiKeyAuth> api_key_auth() {
  auto type = switched<ApiKeyAuth>("{headers: [x-api-key]}");
  type->mapping()
      .key<&ApiKeyAuth::headers>(
          list(text(kHeaderNameRule), {.name = "list of field names", .example = "[x-api-key]"}),
          {.name = "headers",
           .documentation = "Where a key may be; `authorization` takes `ApiKey …`.",
           .example = "[authorization]"})
      .key<&ApiKeyAuth::query>(names("list of parameters", "[key]"),
                               {.name = "query",
                                .documentation = "The same: parameters of the query. They end up "
                                                 "in the logs of others.",
                                .example = "[key]"})
      .key<&ApiKeyAuth::cookies>(
          names("list of cookies", "[key]"),
          {.name = "cookies", .documentation = "The same: cookies.", .example = "[key]"});
  return type;
}

TypePtr<CertificateAuth> certificate_auth() {
  return switched<CertificateAuth>("{}");
}

void add_jwt_keys(ObjectType<JwtAuth>& type) {
  type.key<&JwtAuth::jwks_file>(text(kFilePathRule),
                                {.name = "jwks_file",
                                 .documentation = "File with the issuer's keys, read again when it "
                                                  "changes. In its place one of the next three.",
                                 .example = "/etc/hangu/keys.json",
                                 .alternative = true})
      .key<&JwtAuth::jwks_uri>(text(kHttpUriRule), {.name = "jwks_uri",
                                                    .documentation = "Where to fetch them.",
                                                    .example = "https://id.example.org/keys"})
      .key<&JwtAuth::discovery>(
          on_off(), {.name = "discovery",
                     .documentation = "Ask the issuer itself where they are (OpenID Connect "
                                      "Discovery).",
                     .example = "on",
                     .alternative = true})
      .key<&JwtAuth::secret>(std::make_unique<SecretType>(),
                             {.name = "secret",
                              .documentation = "Shared secret, for HS256, HS384 and HS512.",
                              .example = "file:/run/secrets/jwt",
                              .alternative = true});
  add_key_fetching(type);
}

void add_jwt_rules(ObjectType<JwtAuth>& type) {
  add_clock_skew(type);
  type.key<&JwtAuth::type>(text(kTextRule, {.empty_word = "any"}),
                           {.name = "type",
                            .documentation = "The `typ` that a token must have.",
                            .example = "at+jwt"})
      .key<&JwtAuth::required_scopes>(
          names("list of scopes", "[read]"),
          {.name = "required_scopes",
           .documentation = "A token that lacks one is refused with 403.",
           .example = "[read]"});
  add_consumer_claim(type);
  type.key<&JwtAuth::scopes_claim>(text(kTextRule),
                                   {.name = "scopes_claim",
                                    .documentation = "The claim with the scopes: a list, or words.",
                                    .example = "scp"});
  add_groups_claim(type);
}

TypePtr<ClaimHeader> claim_header() {
  auto type = object<ClaimHeader>("claim and field");
  type->key<&ClaimHeader::claim>(text(kTextRule), {.name = "claim",
                                                   .documentation = "Name of the claim.",
                                                   .example = "sub",
                                                   .required = true})
      .key<&ClaimHeader::header>(text(kHeaderNameRule), {.name = "header",
                                                         .documentation = "Name of the field.",
                                                         .example = "x-user",
                                                         .required = true});
  return type;
}

}  // namespace

TypePtr<std::vector<ClaimHeader>> claim_headers() {
  return list<ClaimHeader>(claim_header(), {.name = "list of claims and fields",
                                            .example = "[{claim: sub, header: x-user}]"});
}

namespace {

TypePtr<JwtAuth> jwt_auth() {
  auto type =
      switched<JwtAuth>("{issuer: https://id.example.org, audiences: [api], discovery: on}");
  ObjectType<JwtAuth>& mapping = type->mapping();
  mapping
      .key<&JwtAuth::issuer>(text(kTextRule), {.name = "issuer",
                                               .documentation = "The `iss` that a token must have.",
                                               .example = "https://id.example.org",
                                               .required = true})
      .key<&JwtAuth::audiences>(
          list(text(kTextRule),
               {.name = "list of audiences", .example = "[api]", .at_least_one = true}),
          {.name = "audiences",
           .documentation = "Of these a token's `aud` must name one.",
           .example = "[api]",
           .required = true});
  add_algorithms(mapping);
  add_jwt_keys(mapping);
  add_jwt_rules(mapping);
  add_claim_headers(mapping);
  mapping
      .key<&JwtAuth::cookies>(names("list of cookies", "[token]"),
                              {.name = "cookies",
                               .documentation = "Cookies a token may be in, beside "
                                                "`Authorization: Bearer`.",
                               .example = "[token]"})
      .key<&JwtAuth::query>(
          names("list of parameters", "[access_token]"),
          {.name = "query",
           .documentation = "The same: parameters. They end up in the logs of others.",
           .example = "[access_token]"})
      .key<&JwtAuth::cache_entries>(
          number<uint32_t>({0, 1'000'000, {}, "none"}),
          {.name = "cache_entries",
           .documentation = "Tokens that are remembered as right, per worker.",
           .example = "65536"})
      .key<&JwtAuth::cache>(
          duration(seconds(1), hours(1)),
          {.name = "cache",
           .documentation = "For so long, unless they expire or the keys change before.",
           .example = "5m"})
      .check(check_jwt);
  return type;
}

void add_introspection_rules(ObjectType<IntrospectionAuth>& type) {
  type.key<&IntrospectionAuth::issuer>(text(kTextRule),
                                       {.name = "issuer",
                                        .documentation = "The `iss` that it must name; else any.",
                                        .example = "https://id.example.org"})
      .key<&IntrospectionAuth::audiences>(
          names("list of audiences", "[api]"),
          {.name = "audiences",
           .documentation = "Of these its `aud` must name one; none: any will do.",
           .example = "[api]"})
      .key<&IntrospectionAuth::required_scopes>(
          names("list of scopes", "[read]"),
          {.name = "required_scopes",
           .documentation = "A token that lacks one is refused with 403.",
           .example = "[read]"})
      .key<&IntrospectionAuth::consumer_claim>(
          text(kTextRule),
          {.name = "consumer_claim",
           .documentation = "What of the answer names the consumer, such as `client_id`.",
           .example = "client_id"})
      .key<&IntrospectionAuth::scopes_claim>(
          text(kTextRule), {.name = "scopes_claim",
                            .documentation = "What has the scopes: a list, or words.",
                            .example = "scp"})
      .key<&IntrospectionAuth::groups_claim>(
          text(kTextRule), {.name = "groups_claim",
                            .documentation = "The same for groups; `a.b` is member `b` of the "
                                             "object `a`.",
                            .example = "realm_access.roles"})
      .key<&IntrospectionAuth::claim_headers>(
          claim_headers(), {.name = "claim_headers",
                            .documentation = "What the upstream gets of the answer in header "
                                             "fields. From clients these fields are taken.",
                            .example = "[{claim: sub, header: x-user}]"});
}

void add_introspection_limits(ObjectType<IntrospectionAuth>& type) {
  type.key<&IntrospectionAuth::timeout>(
          duration(milliseconds(10), minutes(1)),
          {.name = "timeout", .documentation = "How long an answer may take.", .example = "500ms"})
      .key<&IntrospectionAuth::status_on_error>(
          number<uint32_t>({400, 599}),
          {.name = "status_on_error",
           .documentation = "What clients get while nobody can say what a token is worth.",
           .example = "401"})
      .key<&IntrospectionAuth::cache>(
          duration(Duration::zero(), minutes(1)),
          {.name = "cache",
           .documentation = "How long an active token is, unless it expires before; nobody hears "
                            "that it was revoked meanwhile.",
           .example = "10s"})
      .key<&IntrospectionAuth::negative_cache>(duration(Duration::zero(), minutes(1)),
                                               {.name = "negative_cache",
                                                .documentation = "The same for those that are not.",
                                                .example = "1s"})
      .key<&IntrospectionAuth::cache_entries>(
          number<uint32_t>({16, 1'000'000}),
          {.name = "cache_entries",
           .documentation = "Answers that are remembered, per worker.",
           .example = "65536"})
      .key<&IntrospectionAuth::requests_max>(
          number<uint32_t>({1, 10'000}),
          {.name = "requests_max",
           .documentation = "Tokens that are asked about at once, per worker; requests with the "
                            "same one wait together.",
           .example = "20"});
}

TypePtr<IntrospectionAuth> introspection_auth() {
  auto type = switched<IntrospectionAuth>("{upstream: users, client_id: gateway}");
  ObjectType<IntrospectionAuth>& mapping = type->mapping();
  mapping
      .key<&IntrospectionAuth::upstream>(std::make_unique<UpstreamRefType>("upstream", "upstreams"),
                                         {.name = "upstream",
                                          .documentation = "The server that issued the tokens.",
                                          .example = "users",
                                          .required = true})
      .key<&IntrospectionAuth::path>(text(kTargetRule),
                                     {.name = "path",
                                      .documentation = "Of its introspection endpoint.",
                                      .example = "/oauth2/introspect"})
      .key<&IntrospectionAuth::client_id>(
          text(kTextRule), {.name = "client_id",
                            .documentation = "As whom the gateway asks, by `Authorization: Basic`; "
                                             "without it, as nobody.",
                            .example = "gateway"})
      .key<&IntrospectionAuth::client_secret>(std::make_unique<SecretType>(),
                                              {.name = "client_secret",
                                               .documentation = "Of that client.",
                                               .example = "file:/run/secrets/introspection",
                                               .alternative = true});
  add_introspection_rules(mapping);
  add_introspection_limits(mapping);
  mapping
      .key<&IntrospectionAuth::cookies>(names("list of cookies", "[token]"),
                                        {.name = "cookies",
                                         .documentation = "Cookies a token may be in, beside "
                                                          "`Authorization: Bearer`.",
                                         .example = "[token]"})
      .key<&IntrospectionAuth::query>(
          names("list of parameters", "[access_token]"),
          {.name = "query",
           .documentation = "The same: parameters. They end up in the logs of others.",
           .example = "[access_token]"})
      .check(check_introspection);
  return type;
}

TypePtr<ClaimMatch> claim_match() {
  auto type = object<ClaimMatch>("claim");
  type->key<&ClaimMatch::claim>(
          text(kTextRule),
          {.name = "claim", .documentation = "Its name.", .example = "tenant", .required = true})
      .key<&ClaimMatch::values>(
          list(text(kTextRule), {.name = "list of values", .example = "[a]", .at_least_one = true}),
          {.name = "values",
           .documentation = "Of which it must have one.",
           .example = "[a]",
           .required = true});
  return type;
}

/// What rules and shares of a split alike ask of a client.
template <auto... Path, class T>
void add_identity(ObjectType<T>& type) {
  type.template key<Path..., &IdentityMatch::consumers>(
          names("list of consumers", "[app-1]"),
          {.name = "consumers", .documentation = "One of these.", .example = "[app-1]"})
      .template key<Path..., &IdentityMatch::groups>(
          names("list of groups", "[staff]"),
          {.name = "groups", .documentation = "In one of these.", .example = "[staff]"})
      .template key<Path..., &IdentityMatch::scopes>(
          names("list of scopes", "[read]"),
          {.name = "scopes", .documentation = "With all of these.", .example = "[read]"})
      .template key<Path..., &IdentityMatch::claims>(
          list<ClaimMatch>(claim_match(),
                           {.name = "list of claims", .example = "[{claim: tenant, values: [a]}]"}),
          {.name = "claims",
           .documentation = "With all of these claims.",
           .example = "[{claim: tenant, values: [a]}]"});
}

TypePtr<AllowRule> allow_rule() {
  auto type = object<AllowRule>("rule");
  type->key<&AllowRule::id>(text(kNameRule), {.name = "id",
                                              .documentation = "Name of the rule, for logs.",
                                              .example = "readers",
                                              .required = true});
  add_identity<&AllowRule::who>(*type);
  type->key<&AllowRule::clients>(networks(), {.name = "clients",
                                              .documentation = "From one of these networks.",
                                              .example = "[10.0.0.0/8]"})
      .key<&AllowRule::methods>(
          list(text(kMethodRule),
               {.name = "list of methods", .example = "[GET]", .warn_repeated = true}),
          {.name = "methods", .documentation = "By one of these methods.", .example = "[GET]"});
  return type;
}

}  // namespace

TypePtr<Consumer> consumer_keys() {
  auto type = object<Consumer>("consumer");
  type->key<&Consumer::name>(text(kNameRule),
                             {.name = "name",
                              .documentation = "Unique name; upstreams, rules and logs see it.",
                              .example = "app-1",
                              .required = true})
      .key<&Consumer::groups>(
          names("list of groups", "[partners]"),
          {.name = "groups", .documentation = "What rules can ask for.", .example = "[partners]"})
      .key<&Consumer::scopes>(names("list of scopes", "[read]"),
                              {.name = "scopes",
                               .documentation = "The same; however it proves itself.",
                               .example = "[read]"})
      .key<&Consumer::api_keys>(
          list<ApiKey>(api_key(),
                       {.name = "list of API keys", .example = "[{id: k1, hash: \"sha256:…\"}]"}),
          {.name = "api_keys",
           .documentation = "Keys that prove it.",
           .example = "[{id: k1, hash: \"sha256:"
                      "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08\"}]"})
      .key<&Consumer::passwords>(
          list<Password>(password(), {.name = "list of passwords",
                                      .example = "[{user: app-1, hash: \"$argon2id$…\"}]"}),
          {.name = "passwords",
           .documentation = "The same: user and password.",
           .example = "[{user: app-1, hash: \"$argon2id$v=19$m=19456,t=2,p=1$"
                      "c29tZSBzYWx0IG9mIDE2Yg$k1Yq0m4h6m3QyqJ0b8mYw3q0w9l6n2m5p7r8s1t2u3w\"}]"})
      .key<&Consumer::signing_keys>(
          list<SigningKey>(signing_key_keys(),
                           {.name = "list of signing keys",
                            .example = "[{id: app-1-2026, secret: \"file:/run/secrets/app-1\"}]"}),
          {.name = "signing_keys",
           .documentation = "Keys that it signs requests with; with two a client can change from "
                            "one to the next.",
           .example = "[{id: app-1-2026, secret: \"file:/run/secrets/app-1\"}]",
           .alternative = true})
      .key<&Consumer::certificates>(
          names("list of names", "[\"DNS:app-1.example.org\"]"),
          {.name = "certificates",
           .documentation = "Subjects (`CN=…`) or alternative names (`DNS:…`, `URI:…`, `email:…`, "
                            "`IP:…`) of client certificates that prove it.",
           .example = "[\"URI:spiffe://example.org/app-1\"]"});
  return type;
}

TypePtr<Authenticator> authenticator_keys() {
  auto type = object<Authenticator>("authenticator");
  type->key<&Authenticator::name>(
          text(kNameRule), {.name = "name",
                            .documentation = "Unique name; routes refer to it, logs show it.",
                            .example = "partners",
                            .required = true})
      .key<&Authenticator::api_key>(
          api_key_auth(), {.name = "api_key",
                           .documentation = "By a key of a consumer. One of these seven is given.",
                           .example = "{headers: [x-api-key]}",
                           .alternative = true})
      .key<&Authenticator::jwt>(
          jwt_auth(),
          {.name = "jwt",
           .documentation = "By a JSON Web Token (RFC 7519, RFC 6750).",
           .example = "{issuer: https://id.example.org, audiences: [api], discovery: on}"})
      .key<&Authenticator::introspection>(
          introspection_auth(),
          {.name = "introspection",
           .documentation = "By a token of any kind that its issuer is asked about (RFC 7662).",
           .example = "{upstream: users, client_id: gateway}",
           .alternative = true})
      .key<&Authenticator::oidc>(
          oidc_auth_keys(),
          {.name = "oidc",
           .documentation = "By a session in a browser that begins with a login at an OpenID "
                            "Connect provider.",
           .example = "{issuer: https://id.example.org, upstream: users, client_id: gateway, "
                      "secrets: [\"file:/run/secrets/session\"]}",
           .alternative = true})
      .key<&Authenticator::basic>(
          basic_auth(),
          {.name = "basic",
           .documentation = "By user and password (RFC 7617). A password is verified beside the "
                            "workers, one at a time, and who guesses is locked out.",
           .example = "on",
           .alternative = true})
      .key<&Authenticator::signature>(
          signature_auth_keys(), {.name = "signature",
                                  .documentation = "By a signature of the request (RFC 9421, or "
                                                   "another).",
                                  .example = "{profile: rfc9421}",
                                  .alternative = true})
      .key<&Authenticator::certificate>(
          certificate_auth(), {.name = "client_certificate",
                               .documentation = "By the certificate that the listener has verified "
                                                "(`tls.client_auth`).",
                               .example = "on",
                               .alternative = true})
      .key<&Authenticator::forward>(
          on_off(), {.name = "forward",
                     .documentation = "Let the upstream see the credential; else it is taken out.",
                     .example = "on"})
      .check(check_authenticator);
  return type;
}

TypePtr<Authentication> authentication_keys() {
  auto type = object<Authentication>("mapping");
  const auto references = [] {
    return list<uint32_t>(
        std::make_unique<AuthenticatorRefType>("authenticator", "authenticators"),
        {.name = "list of names", .example = "[partners]", .warn_repeated = true});
  };
  type->key<&Authentication::any>(
          references(), {.name = "any",
                         .documentation = "`authenticators` of which one has to say who it is; "
                                          "they are asked in this order.",
                         .example = "[partners]",
                         .alternative = true})
      .key<&Authentication::all>(references(),
                                 {.name = "all",
                                  .documentation = "Or each of these; the first one names the "
                                                   "consumer.",
                                  .example = "[partners]",
                                  .alternative = true})
      .key<&Authentication::optional>(
          on_off(), {.name = "optional",
                     .documentation = "Who shows no credential passes as nobody; one that is wrong "
                                      "is refused all the same.",
                     .example = "on"})
      .key<&Authentication::anonymous>(
          std::make_unique<ConsumerRefType>("consumer", "consumers"),
          {.name = "anonymous",
           .documentation = "With `optional`: the consumer that they count as.",
           .example = "guest",
           .alternative = true})
      .key<&Authentication::mode>(
          mode(), {.name = "mode", .documentation = kModeDocumentation, .example = "shadow"})
      .check(check_authentication);
  return if_given(std::move(type));
}

TypePtr<IdentityMatch> identity_match_keys() {
  auto type = object<IdentityMatch>("mapping");
  add_identity(*type);
  return type;
}

TypePtr<SplitRule> split_rule_keys() {
  auto type = object<SplitRule>("rule");
  type->key<&SplitRule::headers>(
          std::make_unique<FieldMatchesType>(true),
          {.name = "headers",
           .documentation = "Header fields that a request must have, all of them: a value, `*` for "
                            "any, `{prefix: v}` or `{regex: \"v[0-9]+\"}`.",
           .example = "{x-canary: \"1\"}"})
      .key<&SplitRule::cookies>(
          std::make_unique<FieldMatchesType>(false),
          {.name = "cookies", .documentation = "The same for cookies.", .example = "{beta: \"1\"}"})
      .key<&SplitRule::clients>(networks(), {.name = "clients",
                                             .documentation = "From one of these networks.",
                                             .example = "[10.9.0.0/16]"});
  add_identity<&SplitRule::who>(*type);
  return type;
}

TypePtr<Authorization> authorization_keys() {
  auto type = object<Authorization>("mapping");
  type->key<&Authorization::allow>(
          list<AllowRule>(allow_rule(),
                          {.name = "list of rules", .example = "[{id: readers, scopes: [read]}]"}),
          {.name = "allow",
           .documentation = "The first rule of which everything holds lets a request pass. If "
                            "there are rules and none holds: 403.",
           .example = "[{id: readers, scopes: [read], methods: [GET]}]"})
      .key<&Authorization::mode>(
          mode(), {.name = "mode", .documentation = kModeDocumentation, .example = "shadow"});
  return type;
}

}  // namespace hangu::config
