// What browsers keep for the gateway about people who log in by OpenID Connect, and how it is
// written into cookies. Plain data and pure functions; Sealer hides it.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace hangu::identity {

/// Times are Unix time.
struct OidcSession {
  int64_t created_s = 0;  // when the login was over
  int64_t used_s = 0;     // when it was written last: no later than the last request
  int64_t expires_s = 0;  // of the access token; 0: nobody said
  std::string id_token;   // verified before it came in here
  std::string access_token;
  std::string refresh_token;
  std::string scopes;  // that were granted: "openid email"
  std::string sid;     // of a former ID token, when that of a refresh does not have it

  bool operator==(const OidcSession&) const = default;
};

/// A login that is under way.
struct OidcLogin {
  int64_t created_s = 0;
  std::string state;
  std::string nonce;
  std::string verifier;  // of PKCE
  std::string redirect_uri;
  std::string return_to;  // path and query, see is_local_target()

  bool operator==(const OidcLogin&) const = default;
};

std::string to_bytes(const OidcSession& session);
std::string to_bytes(const OidcLogin& login);

/// nullopt: these are not the bytes of one.
std::optional<OidcSession> read_session(std::string_view bytes);
std::optional<OidcLogin> read_login(std::string_view bytes);

/// Where a session is good: those of another provider or client are none.
struct SessionScope {
  std::string_view authenticator;
  std::string_view issuer;
  std::string_view client_id;
};

/// For Sealer. `what`: "session" or "login".
std::string sealing_purpose(std::string_view what, const SessionScope& scope);

/// Whether a browser that is sent there stays on the host: "/a?b", but not "//host/a".
bool is_local_target(std::string_view target);

/// Browsers take 4 KiB in one cookie with name and attributes; all of ours together have to fit
/// into one line of a request, beside those of others.
inline constexpr size_t kCookieBytesMax = 3500;
inline constexpr size_t kCookiesMax = 4;

/// The values of the cookies `name`, `name.1`, …: the first says how many there are. Empty: it is
/// too large for them.
std::vector<std::string> split_over_cookies(std::string_view sealed);

/// "2.abc" → 2 and "abc": how many cookies there are, and what the first has. nullopt: it is none.
struct FirstCookie {
  size_t count = 0;
  std::string_view piece;
};

std::optional<FirstCookie> read_first_cookie(std::string_view value);

}  // namespace hangu::identity
