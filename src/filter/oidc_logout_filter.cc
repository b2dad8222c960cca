#include "hangu/filter/oidc_logout_filter.h"

#include <chrono>
#include <utility>

#include <fmt/format.h>

#include "hangu/filter/auth_filter.h"
#include "hangu/filter/oidc_authenticator.h"
#include "hangu/filter/stream.h"
#include "hangu/http/local_reply.h"
#include "hangu/http/parameters.h"
#include "hangu/identity/form.h"

#include "filter/oidc_question.h"

namespace hangu::filter {
namespace {

int64_t lifetime_seconds(Duration duration) {
  return std::chrono::duration_cast<std::chrono::seconds>(duration).count();
}

}  // namespace

OidcLogoutFilter::OidcLogoutFilter(const config::Authenticator& config, Parts parts)
    : name_(config.name),
      config_(config.oidc),
      rules_(id_token_rules(config_)),
      parts_(std::move(parts)) {}

FilterStatus OidcLogoutFilter::on_request_headers(Stream& stream) const noexcept {
  if (stream.request.method != http::Method::kPost ||
      stream.request.path != config_.backchannel_logout_path) {
    return FilterStatus::kContinue;
  }
  if (!stream.has_body() || stream.body_collected()) {
    return hear(stream, true) ? FilterStatus::kContinue : FilterStatus::kPause;
  }
  if (!stream.collect_request_body(*this, kBodyBytesMax)) {
    on_body_too_large(stream);
    return FilterStatus::kContinue;
  }
  return FilterStatus::kPause;
}

void OidcLogoutFilter::on_body_collected(Stream& stream) const noexcept {
  static_cast<void>(hear(stream, true));
}

void OidcLogoutFilter::on_body_too_large(Stream& stream) const noexcept {
  stream.on_request_error(stream.collection_error());
}

void OidcLogoutFilter::on_keys(Stream& stream, const AuthAsker& /*asker*/) const noexcept {
  static_cast<void>(hear(stream, false));
}

/// False: it waits for keys, else it has been answered.
bool OidcLogoutFilter::hear(Stream& stream, bool may_wait) const {
  const auto encoded = http::query_parameter(stream.collected_body(), "logout_token");
  const auto text = encoded ? identity::decode_form(*encoded) : std::nullopt;
  if (!text || text->empty()) {
    refuse(stream, "malformed");
    return true;
  }
  const identity::LogoutToken token = verify(stream, *text);
  if (token.good()) {
    end_sessions(stream, token);
    return true;
  }
  if (token.wants_keys() && may_wait && wait_for_keys(stream)) {
    return false;
  }
  refuse(stream, token.reason());
  return true;
}

identity::LogoutToken OidcLogoutFilter::verify(Stream& stream, std::string_view token) const {
  static const identity::JwkSet kNoKeys;
  const identity::JwkSet* const keys = parts_.keys->shard(stream.shard().shard()).keys.get();
  return identity::verify_logout_token(token, rules_, keys != nullptr ? *keys : kNoKeys,
                                       now_seconds(stream));
}

/// The provider may sign with a key that it had not when it was asked for them.
bool OidcLogoutFilter::wait_for_keys(Stream& stream) const {
  std::vector<JwtKeys::Waiter>& waiters = parts_.keys->shard(stream.shard().shard()).waiters;
  if (waiters.size() >= JwtKeys::kWaitersMax ||
      !parts_.keys->want(config_.id_token, stream.now().time_since_epoch().count())) {
    return false;
  }
  waiters.push_back({.stream = stream.handle(), .who = this, .asker = this});
  return true;
}

void OidcLogoutFilter::end_sessions(Stream& stream, const identity::LogoutToken& token) const {
  stream.info.auth_method = "logout_token";
  stream.info.consumer = stream.arena().copy(token.subject);  // whom it is about, for logs
  stream.info.credential = stream.arena().copy(token.session);
  const OidcLogouts::Outcome outcome =
      parts_.logouts->end({.subject = token.subject,
                           .sid = token.session,
                           .token = token.number,
                           .token_until_s = token.expires_s,
                           .keep_s = lifetime_seconds(config_.lifetime)},
                          now_seconds(stream));
  switch (outcome) {
    case OidcLogouts::Outcome::kReplay: refuse(stream, "replayed"); return;
    case OidcLogouts::Outcome::kFull: refuse(stream, "full"); return;
    case OidcLogouts::Outcome::kEnded: break;
  }
  stream.info.rule = name_;
  stream.send_local_reply(
      {.status = 200, .code = "auth.sessions_ended", .content_type = "text/plain; charset=utf-8"},
      name());
}

/// As that standard says: whatever is wrong, an error of OAuth.
void OidcLogoutFilter::refuse(Stream& stream, std::string_view reason) const {
  constexpr int kBadRequest = 400;
  const auto body = fmt::format(
      R"({{"error":"invalid_request","error_description":"logout token: {}"}})", reason);
  stream.info.rule = name_;
  stream.info.auth_reason = reason;
  count_refusal(*parts_.stats, stream.shard().shard(), "logout_token");
  stream.send_local_reply({.status = kBadRequest,
                           .code = "auth.logout_token",
                           .content_type = "application/json",
                           .body = stream.arena().copy(body)},
                          name());
}

}  // namespace hangu::filter
