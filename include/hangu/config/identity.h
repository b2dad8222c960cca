// Who may ask: consumers and their credentials, the ways to prove an identity, and the rules on
// what each may do. Part of Config; made from YAML by the loader, immutable once published.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "hangu/base/clock.h"
#include "hangu/config/common.h"
#include "hangu/config/mode.h"
#include "hangu/config/signature.h"
#include "hangu/identity/jwt_algorithm.h"
#include "hangu/identity/seal_cipher.h"

namespace hangu::config {

/// Never holds the key itself, only its digest.
struct ApiKey {
  std::string id;         // for logs
  std::string hash;       // "sha256:" or "sm3:" and the digest in hex
  int64_t expires_s = 0;  // Unix time; 0: never
  std::vector<std::string> scopes;
  bool operator==(const ApiKey&) const = default;
};

/// Never holds the password itself either.
struct Password {
  std::string user;  // what the client calls itself
  std::string hash;  // "$argon2id$…", or bcrypt's "$2b$…"
  bool operator==(const Password&) const = default;
};

/// A program or a person that the gateway knows by name.
struct Consumer {
  std::string name;
  std::vector<std::string> groups;
  std::vector<std::string> scopes;
  std::vector<ApiKey> api_keys;
  std::vector<Password> passwords;
  std::vector<SigningKey> signing_keys;
  std::vector<std::string> certificates;  // subjects or alternative names of client certificates
  bool operator==(const Consumer&) const = default;
};

struct ApiKeyAuth {
  bool enabled = false;
  std::vector<std::string> headers = {"x-api-key"};
  std::vector<std::string> query;
  std::vector<std::string> cookies;
  bool operator==(const ApiKeyAuth&) const = default;
};

using identity::JwtAlgorithm;

/// A claim that goes to the upstream as a header field.
struct ClaimHeader {
  std::string claim;   // "sub", "realm_access.roles"
  std::string header;  // lower case
  bool operator==(const ClaimHeader&) const = default;
};

struct JwtAuth {
  bool enabled = false;
  std::string issuer;
  std::vector<std::string> audiences;
  std::vector<JwtAlgorithm> algorithms = {JwtAlgorithm::kRs256, JwtAlgorithm::kEs256,
                                          JwtAlgorithm::kEdDsa, JwtAlgorithm::kPs256};
  std::string jwks_file;  // one of these four
  std::string jwks_uri;
  bool discovery = false;  // the keys' address is in the issuer's metadata
  Secret secret;           // for HS*
  Duration refresh = std::chrono::minutes(10);
  Duration refetch_cooldown = std::chrono::seconds(10);
  Duration stale = std::chrono::hours(24);  // keys that cannot be fetched anew serve so long
  Duration fetch_timeout = std::chrono::seconds(5);
  Duration clock_skew = std::chrono::seconds(60);
  std::vector<std::string> query;    // where a token may be, beside Authorization
  std::vector<std::string> cookies;  // the same
  std::string type;                  // `typ` that a token must have; empty: any
  std::string consumer_claim = "sub";
  std::string scopes_claim = "scope";
  std::string groups_claim = "groups";
  std::vector<std::string> required_scopes;
  std::vector<ClaimHeader> claim_headers;
  uint32_t cache_entries = 4096;              // verified tokens, per shard
  Duration cache = std::chrono::seconds(60);  // or until the token expires
  bool operator==(const JwtAuth&) const = default;
};

/// Asks the server that issued a token what it is worth (RFC 7662).
struct IntrospectionAuth {
  bool enabled = false;
  uint32_t upstream = kNoUpstream;  // index in Config::upstreams
  std::string path = "/introspect";
  std::string client_id;
  Secret client_secret;
  Duration timeout = std::chrono::seconds(1);
  std::string issuer;                  // `iss`; empty: any
  std::vector<std::string> audiences;  // `aud` has to name one; none: any
  std::vector<std::string> query;      // where a token may be, beside Authorization
  std::vector<std::string> cookies;    // the same
  std::string consumer_claim = "sub";
  std::string scopes_claim = "scope";
  std::string groups_claim = "groups";
  std::vector<std::string> required_scopes;
  std::vector<ClaimHeader> claim_headers;
  uint32_t cache_entries = 4096;              // answers, per shard
  Duration cache = std::chrono::seconds(60);  // or until the token expires
  Duration negative_cache = std::chrono::seconds(5);
  uint32_t requests_max = 100;  // under way at once, per shard
  uint32_t status_on_error = 503;
  bool operator==(const IntrospectionAuth&) const = default;
};

/// How the gateway proves itself at an issuer's token endpoint (RFC 6749 §2.3.1).
enum class ClientAuthentication : uint8_t { kBasic, kPost };

/// Who without a session is sent to log in; the others get 401.
enum class LoginRedirect : uint8_t {
  kPages,  // browsers that ask for a page
  kGets,   // whoever gets something
  kNever,
};

/// People with browsers: they log in at an OpenID Connect provider (authorization code flow with
/// PKCE) and come back with a session, which is kept encrypted in their cookies.
struct OidcAuth {
  bool enabled = false;
  /// Issuer, keys and rules of ID tokens; their audience is the client.
  JwtAuth id_token;
  uint32_t upstream = kNoUpstream;  // the provider: index in Config::upstreams
  std::string client_id;
  Secret client_secret;  // empty: a public client
  ClientAuthentication client_authentication = ClientAuthentication::kBasic;
  std::vector<std::string> scopes = {"openid"};
  std::string authorization_endpoint;  // these three: empty: what the provider's metadata say
  std::string token_path;
  std::string end_session_endpoint;
  std::string callback_path = "/oauth2/callback";
  std::string redirect_uri;  // empty: that path where the client is
  std::string logout_path = "/oauth2/logout";
  std::string post_logout_redirect_uri;
  std::string backchannel_logout_path;  // where the provider ends sessions; empty: it cannot
  uint32_t logouts_max = 65536;         // by the provider that are remembered, node-wide
  std::vector<Secret> secrets;  // of sessions: the first encrypts; none: the fleet's shared keys
  identity::SealCipher cipher = identity::SealCipher::kAes256Gcm;
  std::string cookie;  // empty: by the authenticator's name
  Duration idle_timeout = std::chrono::minutes(30);
  Duration lifetime = std::chrono::hours(8);
  LoginRedirect redirect = LoginRedirect::kPages;
  bool forward_access_token = false;
  Duration timeout = std::chrono::seconds(5);  // of a question to the provider
  uint32_t requests_max = 100;                 // of these under way at once, per shard
  uint32_t cache_entries = 4096;               // opened sessions, per shard
  bool operator==(const OidcAuth&) const = default;
};

/// The client's certificate, which the listener has verified.
struct CertificateAuth {
  bool enabled = false;
  bool operator==(const CertificateAuth&) const = default;
};

/// User and password (RFC 7617).
struct BasicAuth {
  bool enabled = false;
  std::string realm = "hangu";
  uint32_t attempts = 5;  // wrong ones by one user from one address; 0: no limit
  Duration lockout = std::chrono::minutes(10);  // in which they are counted, and how long it lasts
  Duration cache = std::chrono::minutes(5);     // how long a right password is remembered
  uint32_t pending_max = 64;                    // passwords that wait to be verified, per shard
  bool operator==(const BasicAuth&) const = default;
};

/// One way to prove an identity.
struct Authenticator {
  std::string name;
  ApiKeyAuth api_key;  // exactly one of these is enabled
  JwtAuth jwt;
  IntrospectionAuth introspection;
  OidcAuth oidc;
  CertificateAuth certificate;
  BasicAuth basic;
  SignatureAuth signature;
  bool forward = false;  // let the upstream see the credential
  bool operator==(const Authenticator&) const = default;
};

inline constexpr uint32_t kNoConsumer = UINT32_MAX;

/// What a route asks for.
struct Authentication {
  std::vector<uint32_t> any;         // indices in Config::authenticators: one of these
  std::vector<uint32_t> all;         // or each of these
  bool optional = false;             // nobody has to, but what is shown must be right
  uint32_t anonymous = kNoConsumer;  // whom they pass as then: index in Config::consumers
  Mode mode = Mode::kEnforce;

  bool enabled() const { return (!any.empty() || !all.empty()) && mode != Mode::kOff; }

  bool operator==(const Authentication&) const = default;
};

/// A claim that a token must have.
struct ClaimMatch {
  std::string claim;
  std::vector<std::string> values;  // one of them
  bool operator==(const ClaimMatch&) const = default;
};

/// Who a client has proved to be: all that is given has to hold.
struct IdentityMatch {
  std::vector<std::string> consumers;  // one of them
  std::vector<std::string> groups;     // one of them
  std::vector<std::string> scopes;     // all of them
  std::vector<ClaimMatch> claims;      // all of them

  bool empty() const {
    return consumers.empty() && groups.empty() && scopes.empty() && claims.empty();
  }

  bool operator==(const IdentityMatch&) const = default;
};

/// Who may do what: all that is given has to hold.
struct AllowRule {
  std::string id;
  IdentityMatch who;
  std::vector<Cidr> clients;
  std::vector<std::string> methods;
  bool operator==(const AllowRule&) const = default;
};

struct Authorization {
  std::vector<AllowRule> allow;  // the first that holds lets a request pass; none: 403
  Mode mode = Mode::kEnforce;

  bool enabled() const { return !allow.empty() && mode != Mode::kOff; }

  bool operator==(const Authorization&) const = default;
};

}  // namespace hangu::config
