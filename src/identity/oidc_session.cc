#include "hangu/identity/oidc_session.h"

#include <algorithm>

#include "hangu/base/packed_fields.h"
#include "hangu/base/parse.h"

namespace hangu::identity {
namespace {

// Of other kinds of text, so that one is not taken for the other.
constexpr char kSessionMark = 'S';
constexpr char kLoginMark = 'L';

}  // namespace

std::string to_bytes(const OidcSession& session) {
  std::string out(1, kSessionMark);
  put_number(out, static_cast<uint64_t>(session.created_s));
  put_number(out, static_cast<uint64_t>(session.used_s));
  put_number(out, static_cast<uint64_t>(session.expires_s));
  put_text(out, session.id_token);
  put_text(out, session.access_token);
  put_text(out, session.refresh_token);
  put_text(out, session.scopes);
  if (!session.sid.empty()) {  // seldom; nodes that know no such field read all others
    put_text(out, session.sid);
  }
  return out;
}

std::string to_bytes(const OidcLogin& login) {
  std::string out(1, kLoginMark);
  put_number(out, static_cast<uint64_t>(login.created_s));
  put_text(out, login.state);
  put_text(out, login.nonce);
  put_text(out, login.verifier);
  put_text(out, login.redirect_uri);
  put_text(out, login.return_to);
  return out;
}

std::optional<OidcSession> read_session(std::string_view bytes) {
  if (!bytes.starts_with(kSessionMark)) {
    return std::nullopt;
  }
  PackedFields source(bytes.substr(1));
  OidcSession session;
  session.created_s = static_cast<int64_t>(source.number());
  session.used_s = static_cast<int64_t>(source.number());
  session.expires_s = static_cast<int64_t>(source.number());
  session.id_token = source.text();
  session.access_token = source.text();
  session.refresh_token = source.text();
  session.scopes = source.text();
  if (!source.at_end()) {
    session.sid = source.text();
  }
  return source.at_end() ? std::optional(std::move(session)) : std::nullopt;
}

std::optional<OidcLogin> read_login(std::string_view bytes) {
  if (!bytes.starts_with(kLoginMark)) {
    return std::nullopt;
  }
  PackedFields source(bytes.substr(1));
  OidcLogin login;
  login.created_s = static_cast<int64_t>(source.number());
  login.state = source.text();
  login.nonce = source.text();
  login.verifier = source.text();
  login.redirect_uri = source.text();
  login.return_to = source.text();
  return source.at_end() ? std::optional(std::move(login)) : std::nullopt;
}

std::string sealing_purpose(std::string_view what, const SessionScope& scope) {
  std::string purpose = "hangu oidc ";
  for (const std::string_view part : {what, scope.authenticator, scope.issuer, scope.client_id}) {
    purpose += std::to_string(part.size()) + ':';
    purpose += part;
  }
  return purpose;
}

bool is_local_target(std::string_view target) {
  return target.starts_with('/') && !target.starts_with("//") && !target.starts_with("/\\") &&
         std::all_of(target.begin(), target.end(), [](char c) { return c > ' ' && c < 0x7f; });
}

std::vector<std::string> split_over_cookies(std::string_view sealed) {
  std::vector<std::string> values;
  const size_t count = std::max<size_t>((sealed.size() + kCookieBytesMax - 1) / kCookieBytesMax, 1);
  if (count > kCookiesMax) {
    return values;
  }
  for (size_t i = 0; i < count; ++i) {
    values.emplace_back(sealed.substr(i * kCookieBytesMax, kCookieBytesMax));
  }
  values[0].insert(0, std::to_string(count) + '.');
  return values;
}

std::optional<FirstCookie> read_first_cookie(std::string_view value) {
  const size_t dot = value.find('.');
  const auto count = dot == 1 ? parse_decimal(value.substr(0, dot), kCookiesMax) : std::nullopt;
  if (!count || *count == 0) {
    return std::nullopt;
  }
  return FirstCookie{.count = static_cast<size_t>(*count), .piece = value.substr(dot + 1)};
}

}  // namespace hangu::identity
