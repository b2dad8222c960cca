#include "config/oidc_checks.h"

#include <algorithm>
#include <iterator>
#include <vector>

#include <fmt/format.h>

#include "hangu/config/authenticators.h"

#include "config/checks.h"
#include "config/identity_checks.h"
#include "config/text.h"

namespace hangu::config {
namespace {

std::optional<Problem> apply_plain_path(std::string& text) {
  const bool good =
      !text.empty() && text[0] == '/' && !text.starts_with("//") &&
      std::all_of(text.begin(), text.end(), [](char c) {
        return c > ' ' && c < 0x7f && c != '?' && c != '#' && c != ';' && c != '%' && c != '\\';
      });
  return good ? std::nullopt
              : std::optional(Problem{
                    "E0120", fmt::format("{} is no plain path: `/oauth2/callback`", quoted(text)),
                    ""});
}

bool is_http_uri(std::string text) {
  return !kHttpUriRule.apply(text);
}

bool uses_secret(identity::JwtAlgorithm algorithm) {
  return identity::uses_secret(algorithm);
}

void check_provider(Reader& reader, const Node& node, const OidcAuth& oidc) {
  const JwtAuth& token = oidc.id_token;
  if (!token.jwks_uri.empty() && !token.jwks_file.empty()) {
    reader.error(child(node, "jwks_file").mark,
                 {"E0124", "keys come from one of `jwks_file` and `jwks_uri`", ""});
  }
  if (discovers(oidc) && !token.issuer.empty() && !is_http_uri(token.issuer)) {
    reader.error(child(node, "issuer").mark,
                 {"E0136",
                  "an `issuer` that is no address of HTTP has no metadata: it needs "
                  "`authorization_endpoint`, `token_path` and `jwks_uri` or `jwks_file`",
                  ""});
  }
  if (discovers(oidc) && !token.jwks_file.empty()) {
    reader.error(child(node, "jwks_file").mark,
                 {"E0136",
                  "keys in a file are for providers without metadata: it needs "
                  "`authorization_endpoint` and `token_path`, too",
                  ""});
  }
  if (std::any_of(token.algorithms.begin(), token.algorithms.end(), uses_secret)) {
    reader.error(
        child(node, "algorithms").mark,
        {"E0136", "ID tokens are verified with public keys: HS256 and its kin are none", ""});
  }
}

bool is_below(std::string_view path, std::string_view prefix) {
  return path.starts_with(prefix) &&
         (path.size() == prefix.size() || prefix.ends_with('/') || path[prefix.size()] == '/');
}

/// Whether it can have this path; of templates and regular expressions that is supposed.
bool may_have(const RouteMatch& match, std::string_view method, const std::string& path) {
  const auto& methods = match.methods;
  if (!methods.empty() && std::find(methods.begin(), methods.end(), method) == methods.end()) {
    return false;
  }
  return match.path_exact.empty() ? match.path_prefix.empty() || is_below(path, match.path_prefix)
                                  : match.path_exact == path;
}

bool refers_to(const Authentication& authentication, uint32_t index) {
  const auto has = [index](const std::vector<uint32_t>& list) {
    return std::find(list.begin(), list.end(), index) != list.end();
  };
  return has(authentication.any) || has(authentication.all);
}

}  // namespace

const TextRule kPlainPathRule = {"path", "/oauth2/callback", "begins with `/`, nothing encoded",
                                 "^/([^/ ?#;%\\\\][^ ?#;%\\\\]*)?$", &apply_plain_path};

void check_oidc(Reader& reader, const Node& node, const OidcAuth& oidc) {
  check_provider(reader, node, oidc);
  if (std::find(oidc.scopes.begin(), oidc.scopes.end(), "openid") == oidc.scopes.end()) {
    reader.error(child(node, "scopes").mark,
                 {"E0136", "without the scope `openid` there is no ID token", "add `openid`"});
  }
  if (node.find("redirect_uri") != nullptr && node.find("callback_path") != nullptr) {
    reader.error(child(node, "callback_path").mark,
                 {"E0124", "`redirect_uri` has the path already: leave `callback_path` out", ""});
  }
  if (callback_path_of(oidc) == oidc.logout_path) {
    reader.error(child(node, "logout_path").mark,
                 {"E0136", "logins come back to this path already", ""});
  }
  const std::string& told = oidc.backchannel_logout_path;
  if (!told.empty() && (told == callback_path_of(oidc) || told == oidc.logout_path)) {
    reader.error(child(node, "backchannel_logout_path").mark,
                 {"E0136", "browsers come to this path: the provider needs one of its own", ""});
  }
  if (told.empty() && oidc.logouts_max != OidcAuth{}.logouts_max) {
    reader.error(child(node, "logouts_max").mark,
                 {"E0136", "the provider cannot end sessions", "add a `backchannel_logout_path`"});
  }
  if (oidc.idle_timeout > oidc.lifetime) {
    reader.error(child(node, "idle_timeout").mark,
                 {"E0136", "no session is idle for longer than its `lifetime`", ""});
  }
  if (oidc.cookie.starts_with("__")) {
    reader.error(child(node, "cookie").mark,
                 {"E0136", "`__Host-` comes before the name by itself, where it may", ""});
  }
  constexpr size_t kSecretsMax = 4;
  if (oidc.secrets.size() > kSecretsMax) {
    reader.error(child(node, "secrets").mark,
                 {"E0136", "each secret costs a try for every cookie: 4 at most", ""});
  }
}

namespace {

/// The cookies of one session must not be those of another one: `a` has `a`, `a.1`, `a.login.…`.
void check_cookies(Reader& reader, const Node& root, const Config& config, uint32_t index) {
  const std::string cookie = session_cookie_of(config.authenticators[index]);
  for (uint32_t other = 0; other < config.authenticators.size(); ++other) {
    const Authenticator& one = config.authenticators[other];
    const std::string theirs = one.oidc.enabled ? session_cookie_of(one) : std::string();
    if (other != index && one.oidc.enabled &&
        (theirs.starts_with(cookie + '.') || (theirs == cookie && other < index))) {
      reader.error(
          child(element(root, "authenticators", index), "oidc").mark,
          {"E0136",
           fmt::format("cookies {} are those of {}, too", quoted(cookie), quoted(one.name)),
           "give one of them another `cookie`"});
    }
  }
}

/// Those without secrets of their own.
void check_session_keys(Reader& reader, const Node& root, const Config& config, uint32_t index) {
  const OidcAuth& oidc = config.authenticators[index].oidc;
  const Node& node = child(element(root, "authenticators", index), "oidc");
  const SharedKeys& shared = config.config_center.keys;
  if (!oidc.secrets.empty()) {
    return;
  }
  if (!config.config_center.enabled || shared.secrets.empty()) {
    reader.warning(node.mark, {"W0159",
                               "without `secrets` sessions end when the process does, and are good "
                               "on this node alone",
                               "add `secrets: [\"file:/run/secrets/session\"]`, or "
                               "`config_center.keys` in a fleet"});
  } else if (oidc.idle_timeout > shared.keep) {
    reader.error(child(node, "idle_timeout").mark,
                 {"E0136", "the shared keys are kept for less: see `config_center.keys.keep`", ""});
  }
}

/// Whether each would take what belongs to the other.
std::string shared_path(const OidcAuth& one, const OidcAuth& other) {
  for (const std::string& path :
       {callback_path_of(one), one.logout_path, one.backchannel_logout_path}) {
    if (!path.empty() && (path == callback_path_of(other) || path == other.logout_path ||
                          path == other.backchannel_logout_path)) {
      return path;
    }
  }
  return {};
}

void check_login_paths(Reader& reader, const Node& root, const Config& config, size_t route,
                       const std::vector<uint32_t>& logins) {
  std::vector<uint32_t> used;
  std::copy_if(logins.begin(), logins.end(), std::back_inserter(used), [&](uint32_t index) {
    return refers_to(config.routes[route].authentication, index);
  });
  for (size_t i = 1; i < used.size(); ++i) {
    for (size_t k = 0; k < i; ++k) {
      const Authenticator& one = config.authenticators[used[k]];
      const Authenticator& other = config.authenticators[used[i]];
      if (const std::string path = shared_path(one.oidc, other.oidc); !path.empty()) {
        reader.error(child(element(root, "routes", route), "authentication").mark,
                     {"E0136",
                      fmt::format("two logins of one route need paths of their own: {} and {} "
                                  "both have {}",
                                  quoted(one.name), quoted(other.name), quoted(path)),
                      "give one of them another `callback_path` and `logout_path`"});
      }
    }
  }
}

}  // namespace

void check_logins(Reader& reader, const Node& root, const Config& config) {
  std::vector<uint32_t> logins;
  for (uint32_t index = 0; index < config.authenticators.size(); ++index) {
    if (config.authenticators[index].oidc.enabled) {
      check_cookies(reader, root, config, index);
      check_session_keys(reader, root, config, index);
      logins.push_back(index);
    }
  }
  for (size_t route = 0; logins.size() > 1 && route < config.routes.size(); ++route) {
    check_login_paths(reader, root, config, route, logins);
  }
}

void check_callbacks(Reader& reader, const Node& root, const Config& config) {
  for (uint32_t index = 0; index < config.authenticators.size(); ++index) {
    const Authenticator& one = config.authenticators[index];
    if (!one.oidc.enabled) {
      continue;
    }
    const Node& place = child(element(root, "authenticators", index), "oidc");
    const auto warn_unless_had = [&](std::string_view method, const std::string& path,
                                     std::string_view who) {
      bool used = false;
      bool found = false;
      for (const Route& route : config.routes) {
        if (refers_to(route.authentication, index)) {
          used = true;
          found = found || may_have(route.match, method, path);
        }
      }
      if (used && !found) {
        reader.warning(place.mark,
                       {"W0157",
                        fmt::format("{} to {}, but no route with this authenticator has that path",
                                    who, quoted(path)),
                        "add a route for it with the same `authentication`"});
      }
    };
    warn_unless_had("GET", callback_path_of(one.oidc), "logins come back");
    if (const std::string& path = one.oidc.backchannel_logout_path; !path.empty()) {
      warn_unless_had("POST", path, "the provider posts the ends of sessions");
    }
  }
}

}  // namespace hangu::config
