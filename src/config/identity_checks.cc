#include "config/identity_checks.h"

#include <algorithm>
#include <ctime>
#include <map>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "hangu/base/letter_case.h"
#include "hangu/base/parse.h"
#include "hangu/identity/digest.h"

#include "config/checks.h"
#include "config/text.h"

namespace hangu::config {
namespace {

std::optional<Problem> apply_key_hash(std::string& text) {
  return identity::parse_digest(text)
             ? std::nullopt
             : std::optional(Problem{"E0122",
                                     "this is no digest of a key: `sha256:` or `sm3:` and 64 hex "
                                     "digits in lower case",
                                     "`hangu key` makes a key and its digest"});
}

std::optional<Problem> apply_http_uri(std::string& text) {
  const bool https = text.rfind("https://", 0) == 0;
  const bool http = text.rfind("http://", 0) == 0;
  const size_t start = https ? 8 : 7;
  const bool good =
      (https || http) && text.size() > start && text[start] != '/' &&
      text.find('@') == std::string::npos && text.find('#') == std::string::npos &&
      std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7f; });
  return good ? std::nullopt
              : std::optional(Problem{
                    "E0122",
                    fmt::format("{} is not an address of HTTP: `https://host/path`", quoted(text)),
                    ""});
}

/// Two or four digits at a place of "2027-01-31T00:00:00Z".
int digits_at(std::string_view text, size_t at, size_t count) {
  const auto value = parse_decimal(text.substr(at, count));
  return value ? static_cast<int>(*value) : -1;
}

std::optional<int64_t> parse_time(std::string_view text) {
  constexpr std::string_view kForm = "0000-00-00T00:00:00Z";
  if (text.size() != kForm.size()) {
    return std::nullopt;
  }
  for (size_t i = 0; i < text.size(); ++i) {
    const bool digit = text[i] >= '0' && text[i] <= '9';
    if (kForm[i] == '0' ? !digit : text[i] != kForm[i]) {
      return std::nullopt;
    }
  }
  std::tm parts{};
  parts.tm_year = digits_at(text, 0, 4) - 1900;
  parts.tm_mon = digits_at(text, 5, 2) - 1;
  parts.tm_mday = digits_at(text, 8, 2);
  parts.tm_hour = digits_at(text, 11, 2);
  parts.tm_min = digits_at(text, 14, 2);
  parts.tm_sec = digits_at(text, 17, 2);
  std::tm given = parts;
  const std::time_t seconds = timegm(&parts);
  // timegm() takes the 31st of February for the 3rd of March.
  const bool same = given.tm_mon == parts.tm_mon && given.tm_mday == parts.tm_mday &&
                    given.tm_hour == parts.tm_hour && given.tm_min == parts.tm_min &&
                    given.tm_sec == parts.tm_sec;
  return same && seconds > 0 ? std::optional<int64_t>(seconds) : std::nullopt;
}

/// "…m=19456,…" → 19456, at most `most`.
bool has_number(std::string_view text, std::string_view name, uint64_t least, uint64_t most) {
  const size_t at = text.find(name);
  if (at == std::string_view::npos) {
    return false;
  }
  std::string_view digits = text.substr(at + name.size());
  digits = digits.substr(0, std::min(digits.find_first_not_of("0123456789"), digits.size()));
  const auto value = parse_decimal(digits, most);
  return value && *value >= least;
}

bool all_of_alphabet(std::string_view text, std::string_view beside) {
  return std::all_of(text.begin(), text.end(), [beside](char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           beside.find(c) != std::string_view::npos;
  });
}

/// Bounds hold a slip of the pen off from hanging the gateway: 1 GiB, 64 passes; bcrypt's cost 16.
std::optional<Problem> check_password_hash(const std::string& text) {
  constexpr size_t kBcryptBytes = 60;
  constexpr size_t kBytesMax = 512;
  const bool argon2 = text.starts_with("$argon2id$v=19$m=") && text.size() <= kBytesMax &&
                      all_of_alphabet(text, "$=,+/") && has_number(text, "$m=", 8, 1 << 20) &&
                      has_number(text, ",t=", 1, 64) && has_number(text, ",p=", 1, 64) &&
                      std::count(text.begin(), text.end(), '$') == 5;
  const bool bcrypt =
      (text.starts_with("$2a$") || text.starts_with("$2b$") || text.starts_with("$2y$")) &&
      text.size() == kBcryptBytes && text[6] == '$' && has_number(text, text.substr(0, 4), 4, 16) &&
      all_of_alphabet(text, "$./");
  return argon2 || bcrypt
             ? std::nullopt
             : std::optional(Problem{"E0122", "this is no hash of a password by argon2id or bcrypt",
                                     "`hangu hash-password` makes one"});
}

std::optional<Problem> apply_user(std::string& text) {
  constexpr size_t kBytesMax = 128;
  const bool good =
      !text.empty() && text.size() <= kBytesMax && text.find(':') == std::string::npos &&
      std::none_of(text.begin(), text.end(),
                   [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 0x7f; });
  return good ? std::nullopt
              : std::optional(Problem{"E0122",
                                      "a user has a name of at most 128 bytes, without `:` and "
                                      "control characters",
                                      ""});
}

std::optional<Problem> apply_realm(std::string& text) {
  const bool good = !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return c >= ' ' && c < 0x7f && c != '"' && c != '\\';
  });
  return good ? std::nullopt
              : std::optional(Problem{"E0122", "a realm is of ASCII, without quotes", ""});
}

}  // namespace

const TextRule kKeyHashRule = {"digest", "sha256:…", "`sha256:` or `sm3:` and 64 hex digits",
                               "^(sha256|sm3):[0-9a-f]{64}$", &apply_key_hash};
const TextRule kHttpUriRule = {"address of HTTP", "https://id.example.org/keys", "",
                               "^https?://[^/@#\\s][^@#\\s]*$", &apply_http_uri};

const TextRule kUserRule = {"user", "app-1", "at most 128 bytes, no `:`", "^[^:]+$", &apply_user};
const TextRule kRealmRule = {"realm", "staff", "ASCII without quotes", "^[ !#-\\[\\]-~]+$",
                             &apply_realm};

std::optional<Problem> PasswordHashType::parse(Reader& /*reader*/, const std::string& text,
                                               std::string& out) const {
  out = text;
  return check_password_hash(text);
}

Value PasswordHashType::format(const Config& /*config*/, const std::string& value) const {
  if (value.empty()) {
    return {};
  }
  Value out = Value::string(value);
  out.is_secret = true;
  return out;
}

std::string TimeType::schema() const {
  return or_variable(
      R"("type":"string","pattern":"^(never|\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}Z)$")");
}

std::optional<Problem> TimeType::parse(Reader& /*reader*/, const std::string& text,
                                       int64_t& out) const {
  if (text == "never") {
    out = 0;
    return std::nullopt;
  }
  const std::optional<int64_t> parsed = parse_time(text);
  if (!parsed) {
    return Problem{"E0122", fmt::format("{} is no time in UTC", quoted(text)),
                   "write it as `2027-01-31T00:00:00Z`"};
  }
  out = *parsed;
  return std::nullopt;
}

Value TimeType::format(const Config& /*config*/, const int64_t& value) const {
  return Value::string(value == 0 ? "never"
                                  : fmt::format("{:%Y-%m-%dT%H:%M:%SZ}",
                                                fmt::gmtime(static_cast<std::time_t>(value))));
}

void check_identities(Reader& reader, const Node& root, const Config& config) {
  enum class Kind : uint8_t { kKey, kUser, kSigningKey, kCertificate };
  std::map<std::pair<Kind, std::string_view>, std::string_view> owners;
  for (size_t i = 0; i < config.consumers.size(); ++i) {
    const Consumer& consumer = config.consumers[i];
    const auto claim = [&](Kind kind, std::string_view credential, std::string_view what) {
      const auto [known, added] = owners.emplace(std::pair(kind, credential), consumer.name);
      if (!added) {
        reader.error(element(root, "consumers", i).mark,
                     {"E0129",
                      fmt::format("{} of consumer {} belongs to {}, too", what,
                                  quoted(consumer.name), quoted(known->second)),
                      ""});
      }
    };
    for (const ApiKey& key : consumer.api_keys) {
      claim(Kind::kKey, key.hash, fmt::format("the key {}", key.id));
    }
    for (const Password& password : consumer.passwords) {
      claim(Kind::kUser, password.user, fmt::format("the user {}", password.user));
    }
    for (const SigningKey& key : consumer.signing_keys) {
      claim(Kind::kSigningKey, key.id, fmt::format("the signing key {}", key.id));
    }
    for (const std::string& certificate : consumer.certificates) {
      claim(Kind::kCertificate, certificate, fmt::format("the certificate {}", certificate));
    }
  }
}

void check_authenticator(Reader& reader, const Node& node, const Authenticator& authenticator) {
  const int given = static_cast<int>(authenticator.api_key.enabled) +
                    static_cast<int>(authenticator.jwt.enabled) +
                    static_cast<int>(authenticator.introspection.enabled) +
                    static_cast<int>(authenticator.oidc.enabled) +
                    static_cast<int>(authenticator.basic.enabled) +
                    static_cast<int>(authenticator.signature.enabled) +
                    static_cast<int>(authenticator.certificate.enabled);
  if (given != 1) {
    reader.error(node.mark, {"E0124",
                             "an authenticator has exactly one of `api_key`, `jwt`, "
                             "`introspection`, `oidc`, `basic`, `signature` and "
                             "`client_certificate`",
                             given == 0 ? "add one" : "make one authenticator of each"});
  }
  const ApiKeyAuth& key = authenticator.api_key;
  if (key.enabled && key.headers.empty() && key.query.empty() && key.cookies.empty()) {
    reader.error(child(node, "api_key").mark,
                 {"E0136", "a key has to be somewhere: `headers`, `query` or `cookies`", ""});
  }
  if (authenticator.oidc.enabled && authenticator.forward) {
    reader.error(child(node, "forward").mark,
                 {"E0136", "the cookies of a session are the gateway's alone",
                  "with `forward_access_token: on` the upstream gets the access token"});
  }
}

void check_authentication(Reader& reader, const Node& node, const Authentication& authentication) {
  if (authentication.any.empty() == authentication.all.empty()) {
    reader.error(node.mark, {"E0124", "`authentication` has either `any` or `all`", ""});
  }
  if (authentication.anonymous != kNoConsumer && !authentication.optional) {
    reader.error(child(node, "anonymous").mark,
                 {"E0136", "nobody passes as `anonymous` where a credential is needed",
                  "add `optional: on`"});
  }
}

void check_forward_auth(Reader& reader, const Node& node, const ForwardAuth& service) {
  if (node.find("path") != nullptr && node.find("path_prefix") != nullptr) {
    reader.error(child(node, "path_prefix").mark,
                 {"E0124", "a service is asked for its `path` or below a `path_prefix`", ""});
  }
  if (!service.cache.enabled) {
    return;
  }
  if (service.body.enabled) {
    reader.error(child(node, "cache").mark,
                 {"E0136", "the service sees bodies, and no key tells them apart",
                  "leave out `cache`, or `body`"});
  }
  // A decision that a credential made must not be another one's.
  for (const std::string& field : service.request_headers) {
    const std::string name = lower_case(field);
    const auto tells_apart = [&](const KeyPart& part) {
      return (part.kind == KeyPart::Kind::kHeader && part.name == name) ||
             (part.kind == KeyPart::Kind::kCookie && name == "cookie");
    };
    const std::vector<KeyPart>& key = service.cache.key;
    if (std::none_of(key.begin(), key.end(), tells_apart)) {
      reader.error(child(child(node, "cache"), "key").mark,
                   {"E0136",
                    fmt::format("the service sees {}, so its decisions may depend on that, but "
                                "the key does not",
                                quoted(field)),
                    fmt::format("add `\"{}\"`, or take it out of `request_headers`",
                                name == "cookie" ? "cookie:NAME" : "header:" + name)});
    }
  }
}

void check_introspection(Reader& reader, const Node& node, const IntrospectionAuth& asked) {
  if (asked.client_id.empty() != asked.client_secret.text.empty()) {
    reader.error(node.mark, {"E0136", "`client_id` and `client_secret` go together", ""});
  }
}

void check_jwt(Reader& reader, const Node& node, const JwtAuth& jwt) {
  const bool secret = !jwt.secret.text.empty();
  const int sources = static_cast<int>(!jwt.jwks_file.empty()) +
                      static_cast<int>(!jwt.jwks_uri.empty()) + static_cast<int>(jwt.discovery) +
                      static_cast<int>(secret);
  if (sources != 1) {
    reader.error(node.mark, {"E0124",
                             "keys come from exactly one of `jwks_file`, `jwks_uri`, `discovery` "
                             "and `secret`",
                             ""});
    return;
  }
  const bool fits =
      std::all_of(jwt.algorithms.begin(), jwt.algorithms.end(),
                  [&](JwtAlgorithm one) { return identity::uses_secret(one) == secret; });
  if (!fits) {
    reader.error(child(node, "algorithms").mark,
                 {"E0136",
                  secret ? "a shared `secret` verifies HS256, HS384 and HS512 only"
                         : "HS256 and its kin need a `secret`, not public keys",
                  secret ? "write `algorithms: [HS256]`" : ""});
  }
  constexpr size_t kSecretBytesMin = 32;
  if (secret && jwt.secret.text.size() < kSecretBytesMin) {
    reader.error(child(node, "secret").mark,
                 {"E0136", "a `secret` of less than 32 bytes can be guessed from one token", ""});
  }
  std::string issuer = jwt.issuer;
  if (jwt.discovery && apply_http_uri(issuer)) {
    reader.error(child(node, "issuer").mark,
                 {"E0136", "`discovery` needs an `issuer` that is an address of HTTP", ""});
  }
}

}  // namespace hangu::config
