// Logins and their end: the paths that OidcAuthenticator answers itself.
#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "hangu/filter/oidc_authenticator.h"
#include "hangu/filter/principal.h"
#include "hangu/filter/stream.h"
#include "hangu/http/parameters.h"
#include "hangu/http/text.h"
#include "hangu/identity/form.h"

#include "filter/oidc_question.h"

namespace hangu::filter {
namespace {

using http::HeaderName;
using Kind = AuthOutcome::Kind;

constexpr int64_t kLoginSeconds = 600;
constexpr int kFound = 302;
constexpr int kSeeOther = 303;
constexpr int kBadGateway = 502;

/// As the client sees it: of a proxy before the gateway only if that is trusted.
std::string_view host_of(const Stream& stream) {
  std::string_view host = stream.request.headers.value(HeaderName::kXForwardedHost);
  host = host.substr(0, host.find(','));
  const bool plain = !host.empty() && std::all_of(host.begin(), host.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '-' || c == ':' || c == '[' || c == ']';
  });
  return plain ? host : stream.request.authority;
}

/// Where the browser goes in the end: what it has asked for, unless that is too long.
std::string return_target(const http::RequestHead& request) {
  constexpr size_t kBytesMax = 1024;
  std::string target(request.path);
  if (request.has_query && target.size() + request.query.size() < kBytesMax) {
    target += '?';
    target += request.query;
  }
  return target.size() <= kBytesMax ? target : "/";
}

bool is_script(const http::HeaderBlock& headers) {
  const http::Header* const mode = headers.find("sec-fetch-mode");
  const http::Header* const with = headers.find("x-requested-with");
  return (mode != nullptr && mode->value() != "navigate") ||
         (with != nullptr && http::equals_ignore_case(with->value(), "XMLHttpRequest"));
}

bool wants_page(const http::HeaderBlock& headers) {
  for (const http::Header& field : headers) {
    if (field.token == HeaderName::kAccept &&
        field.value().find("text/html") != std::string_view::npos) {
      return true;
    }
  }
  return false;
}

}  // namespace

const identity::ProviderMetadata* OidcAuthenticator::provider(Stream& stream) const noexcept {
  return parts_.keys->shard(stream.shard().shard()).provider.get();
}

std::string_view OidcAuthenticator::authorization_endpoint(Stream& stream) const noexcept {
  const identity::ProviderMetadata* const metadata = provider(stream);
  return !config_.authorization_endpoint.empty() || metadata == nullptr
             ? std::string_view(config_.authorization_endpoint)
             : std::string_view(metadata->authorization_endpoint);
}

// --- the way there ----------------------------------------------------------------------------

bool OidcAuthenticator::may_be_sent(const Stream& stream) const noexcept {
  const http::RequestHead& request = stream.request;
  const bool gets =
      (request.method == http::Method::kGet || request.method == http::Method::kHead) &&
      !request.upgrade;
  switch (config_.redirect) {
    case config::LoginRedirect::kNever: return false;
    case config::LoginRedirect::kGets: return gets;
    case config::LoginRedirect::kPages:
      return gets && wants_page(request.headers) && !is_script(request.headers);
  }
  return false;
}

bool OidcAuthenticator::send_to_login(Stream& stream) const noexcept {
  if (!may_be_sent(stream) || (config_.redirect_uri.empty() && host_of(stream).empty())) {
    return false;
  }
  const std::string_view endpoint = authorization_endpoint(stream);
  std::string redirect_uri = config_.redirect_uri;
  if (redirect_uri.empty()) {
    redirect_uri = is_https(stream) ? "https://" : "http://";
    redirect_uri += host_of(stream);
    redirect_uri += callback_path_;
  }
  const auto login =
      endpoint.empty() ? std::nullopt
                       : identity::begin_login(std::move(redirect_uri),
                                               return_target(stream.request), unix_seconds(stream));
  const std::string sealed = login ? login_sealer_.seal(identity::to_bytes(*login)) : std::string();
  if (sealed.empty()) {
    static_cast<void>(parts_.keys->want(config_.id_token, stream.now().time_since_epoch().count()));
    static_cast<void>(reply(stream,
                            {.status = 503,
                             .code = "auth.unavailable",
                             .detail = "nobody can log in now",
                             .retry_after_s = 1},
                            "no_keys", {}));
    return true;
  }
  SetCookies cookies;
  cookies_.write_login(stream, login->state, sealed, cookies);
  make_room(stream, cookies);
  static_cast<void>(reply(stream, {.status = kFound, .code = "auth.login"}, {}, cookies,
                          identity::authorization_address(endpoint, client_, *login)));
  return true;
}

/// Logins that were begun and never ended must not fill the browser's requests: the oldest goes.
void OidcAuthenticator::make_room(Stream& stream, SetCookies& cookies) const {
  std::array<OidcCookies::Login, 2 * OidcCookies::kLoginsMax> logins;
  std::array<int64_t, logins.size()> begun{};
  const size_t count = cookies_.logins(stream, logins);
  for (size_t i = 0; i < count && count >= OidcCookies::kLoginsMax; ++i) {
    const auto bytes = login_sealer_.open(logins[i].value);
    const auto login = bytes ? identity::read_login(*bytes) : std::nullopt;
    begun[i] = login ? login->created_s : 0;
  }
  const std::span seen(begun.data(), count);
  for (size_t left = count; left >= OidcCookies::kLoginsMax; --left) {
    const auto oldest = std::min_element(seen.begin(), seen.end());
    *oldest = INT64_MAX;
    cookies_.clear_login(stream, logins[static_cast<size_t>(oldest - seen.begin())].state, cookies);
  }
}

// --- the way back -----------------------------------------------------------------------------

/// The login that this request ends: of this browser, and young enough.
std::optional<identity::OidcLogin> OidcAuthenticator::login_of(Stream& stream) const {
  const auto state = http::query_parameter(stream.request.query, "state");
  if (!state || state->empty()) {
    return std::nullopt;
  }
  const auto bytes = login_sealer_.open(cookies_.login(stream, *state));
  auto login = bytes ? identity::read_login(*bytes) : std::nullopt;
  const int64_t age_s = login ? unix_seconds(stream) - login->created_s : 0;
  return login && login->state == *state && age_s < kLoginSeconds ? std::move(login) : std::nullopt;
}

AuthOutcome OidcAuthenticator::callback(Stream& stream, const AuthAsker& asker) const {
  const std::string_view query = stream.request.query;
  const auto login = login_of(stream);
  const auto code = http::query_parameter(query, "code");
  const auto error = http::query_parameter(query, "error");
  if (!login || (!code && !error)) {
    return reply(stream,
                 {.status = 400,
                  .code = "auth.state",
                  .detail = "this login is unknown here or too old: begin again"},
                 "state", {});
  }
  OidcVisit& visit = visit_of(stream);
  visit.is_login = true;
  visit.state = stream.arena().copy(login->state);
  // RFC 9207: an answer of another provider is not for this one.
  const auto issuer = http::query_parameter(query, "iss");
  if (issuer && identity::decode_form(*issuer) != config_.id_token.issuer) {
    return provider_error(stream, "issuer");
  }
  if (error) {
    return provider_error(stream, *error);
  }
  visit.nonce = stream.arena().copy(login->nonce);
  visit.return_to = stream.arena().copy(login->return_to);
  // Of this login: the same code for another one is for the provider to refuse.
  return ask(stream, asker, digest_of(login->state, *code),
             identity::code_form(client_, *code, *login));
}

AuthOutcome OidcAuthenticator::provider_error(Stream& stream, std::string_view error) const {
  SetCookies cookies;
  cookies_.clear_login(stream, visit_of(stream).state, cookies);
  if (error == "access_denied") {
    return reply(stream,
                 {.status = 403,
                  .code = "auth.denied",
                  .detail = "the identity provider has not let you in"},
                 "denied", cookies);
  }
  return reply(stream,
               {.status = kBadGateway,
                .code = "auth.provider",
                .detail = "the identity provider could not complete the login"},
               error == "issuer" ? std::string_view("issuer") : "provider", cookies);
}

AuthOutcome OidcAuthenticator::finish_login(Stream& stream, const AuthAsker* asker,
                                            const Answer& answer) const {
  if (answer.fault == "grant") {
    SetCookies cookies;
    cookies_.clear_login(stream, visit_of(stream).state, cookies);
    return reply(stream,
                 {.status = 400,
                  .code = "auth.code",
                  .detail = "the identity provider does not accept this login: begin again"},
                 "grant", cookies);
  }
  if (answer.fault == "provider" || (answer.fault.empty() && answer.tokens.id_token.empty())) {
    return provider_error(stream, "provider");
  }
  if (!answer.fault.empty()) {
    return unavailable(answer.fault);  // the login is still good
  }
  const identity::IdTokenResult result = verify(stream, answer.tokens, visit_of(stream).nonce, {});
  if (result.wants_keys() && wait_for_keys(stream, asker, answer.tokens)) {
    return {.kind = Kind::kWaiting};
  }
  if (!result.good()) {
    SetCookies cookies;
    cookies_.clear_login(stream, visit_of(stream).state, cookies);
    return reply(stream,
                 {.status = kBadGateway,
                  .code = "auth.id_token",
                  .detail = "the identity provider has said something that cannot be trusted"},
                 result.reason(), cookies);
  }
  return begin_session(stream, answer.tokens);
}

AuthOutcome OidcAuthenticator::begin_session(Stream& stream,
                                             const identity::TokenResponse& tokens) const {
  const OidcVisit& visit = visit_of(stream);
  const int64_t now_s = now_seconds(stream);
  identity::OidcSession session{
      .created_s = now_s, .id_token = tokens.id_token, .scopes = client_.scopes};
  take_tokens(session, tokens, now_s);
  const std::string sealed = session_sealer_.seal(identity::to_bytes(session));
  SetCookies cookies;
  const bool fits = !sealed.empty() && cookies_.write_session(stream, sealed, cookies);
  cookies_.clear_login(stream, visit.state, cookies);
  if (!fits) {
    return reply(stream,
                 {.status = kBadGateway,
                  .code = "auth.session",
                  .detail = "what the identity provider says is too large for cookies"},
                 "too_large", cookies);
  }
  const KnownSession& known = remember(stream, sealed, std::move(session));
  const Principal& principal = principal_of(stream, known.facts, *parts_.consumers);
  stream.info.consumer = principal.consumer;  // who has logged in, for logs
  stream.info.credential = principal.credential;
  stream.info.auth_method = "oidc";
  return reply(stream, {.status = kFound, .code = "auth.session_begun"}, {}, cookies,
               identity::is_local_target(visit.return_to) ? std::string(visit.return_to) : "/");
}

// --- the end ----------------------------------------------------------------------------------

AuthOutcome OidcAuthenticator::logout(Stream& stream) const {
  std::string id_token;
  const std::string_view sealed = cookies_.session(stream);
  if (const KnownSession* const known = sealed.empty() ? nullptr : open(stream, sealed)) {
    const Principal& principal = principal_of(stream, known->facts, *parts_.consumers);
    stream.info.consumer = principal.consumer;
    stream.info.credential = principal.credential;
    stream.info.auth_method = "oidc";
    id_token = known->session.id_token;
  }
  SetCookies cookies;
  cookies_.clear_session(stream, cookies);
  const identity::ProviderMetadata* const metadata = provider(stream);
  std::string_view endpoint = config_.end_session_endpoint;
  if (endpoint.empty() && metadata != nullptr) {
    endpoint = metadata->end_session_endpoint;
  }
  const std::string& after = config_.post_logout_redirect_uri;
  if (endpoint.empty() && after.empty()) {
    return reply(stream,
                 {.status = 200,
                  .code = "auth.session_ended",
                  .content_type = "text/plain; charset=utf-8",
                  .body = "You are logged out.\n"},
                 {}, cookies);
  }
  return reply(
      stream, {.status = kSeeOther, .code = "auth.session_ended"}, {}, cookies,
      endpoint.empty() ? after : identity::end_session_address(endpoint, client_, id_token, after));
}

/// `reason`: why not; empty: all is well. `location`: empty: none.
AuthOutcome OidcAuthenticator::reply(Stream& stream, http::LocalReply reply,
                                     std::string_view reason, const SetCookies& cookies,
                                     std::string_view location) const {
  std::array<http::ReplyField, SetCookies::kCountMax + 1> fields;
  size_t count = 0;
  for (const std::string_view cookie : cookies.values()) {
    fields[count++] = {.name = "set-cookie", .value = cookie};
  }
  if (!location.empty()) {
    fields[count++] = {.name = "location", .value = stream.arena().copy(location)};
  }
  reply.fields = std::span(fields).first(count);
  stream.info.rule = name_;
  stream.info.auth_reason = reason;
  visit_of(stream).cookies = {};  // these are all
  stream.send_local_reply(reply, "auth");
  return {.kind = Kind::kReplied, .reason = reason};
}

}  // namespace hangu::filter
