// What OidcAuthenticator asks of a provider's token endpoint, and what becomes of the answers.
#include <memory>
#include <utility>

#include "hangu/config/authenticators.h"
#include "hangu/filter/oidc_authenticator.h"
#include "hangu/filter/principal.h"
#include "hangu/filter/stream.h"
#include "hangu/policy/forward_auth.h"

#include "filter/oidc_question.h"

namespace hangu::filter {

using Kind = AuthOutcome::Kind;

std::string_view OidcAuthenticator::token_target(Stream& stream) const noexcept {
  const identity::ProviderMetadata* const metadata = provider(stream);
  if (!config_.token_path.empty() || metadata == nullptr || metadata->token_endpoint.empty()) {
    return config_.token_path;
  }
  return config::target_of_uri(metadata->token_endpoint);
}

AuthOutcome OidcAuthenticator::unavailable(std::string_view reason) noexcept {
  return {.kind = Kind::kUnavailable, .reason = reason, .retry_after_s = 1};
}

/// Who asks first has the provider asked; others with the same code or session wait for the answer.
AuthOutcome OidcAuthenticator::ask(Stream& stream, const AuthAsker& asker,
                                   const identity::Digest& digest, std::string_view form) const {
  const std::string_view target = token_target(stream);
  if (callout_depth(stream) >= policy::kCalloutDepthMax) {
    return unavailable("loop");
  }
  if (target.empty()) {
    return unavailable("no_keys");
  }
  const auto joined = join_question<OidcQuestion>(*parts_.memory, *this, stream, asker, digest,
                                                  config_.requests_max);
  if (joined.question == nullptr) {
    return unavailable("busy");
  }
  if (!joined.is_new) {
    return {.kind = Kind::kWaiting};
  }
  Callout& callout = stream.shard().callouts().begin(stream, target_, *joined.question);
  begin_form(callout, authorization_, stream.info.request_id);
  callout.send(callout.arena().copy(target), callout.arena().copy(form));
  return {.kind = Kind::kWaiting};
}

OidcAuthenticator::Answer OidcAuthenticator::read(const CalloutAnswer& answer) {
  if (!answer.fault.empty() || answer.cut) {
    return {.fault = answer.cut ? "broken" : answer.fault};
  }
  constexpr int kOk = 200;
  constexpr int kClientError = 400;
  constexpr int kServerError = 500;
  constexpr int kRequestTimeout = 408;
  constexpr int kTooManyRequests = 429;
  const int status = answer.head->status;
  const bool later = status == kRequestTimeout || status == kTooManyRequests;
  if (status != kOk && (status < kClientError || status >= kServerError || later)) {
    return {.fault = "status"};
  }
  auto tokens = identity::read_token_response(answer.body, status != kOk);
  if (status != kOk) {
    return {.fault = tokens && tokens->error == "invalid_grant" ? "grant" : "provider"};
  }
  return tokens ? Answer{.tokens = std::move(*tokens)} : Answer{.fault = "broken"};
}

void OidcAuthenticator::on_answer(OidcQuestion& question,
                                  const CalloutAnswer& answer) const noexcept {
  OidcMemory::ShardSide& side = parts_.memory->shard(question.shard.shard());
  // An answer may make others ask anew.
  const auto own = side.asked.extract(question.digest);
  side.waiting -= question.waiters.size();
  const Answer said = read(answer);
  bool told = true;
  for (const OidcQuestion::Waiter& waiter : question.waiters) {
    if (Stream* const stream = question.shard.handles().find(waiter.stream)) {
      const AuthOutcome outcome = waiter.authenticator->take(*stream, waiter.asker, said);
      told = told && outcome.kind != Kind::kWaiting;
      if (outcome.kind != Kind::kWaiting) {
        waiter.asker->on_auth_answer(*stream, outcome);
      }
    }
  }
  if (question.claimed && told) {
    parts_.memory->board().give_back(question.digest);  // unless there is something to tell
  }
}

/// `asker` is null for a request that has waited for keys already.
AuthOutcome OidcAuthenticator::take(Stream& stream, const AuthAsker* asker,
                                    const Answer& answer) const {
  return visit_of(stream).is_login ? finish_login(stream, asker, answer)
                                   : finish_refresh(stream, asker, answer);
}

identity::IdTokenResult OidcAuthenticator::verify(Stream& stream,
                                                  const identity::TokenResponse& tokens,
                                                  std::string_view nonce,
                                                  std::string_view subject) const {
  static const identity::JwkSet kNoKeys;
  const identity::JwkSet* const keys = parts_.keys->shard(stream.shard().shard()).keys.get();
  return identity::verify_id_token(
      tokens.id_token, rules_, keys != nullptr ? *keys : kNoKeys,
      {.client_id = config_.client_id, .nonce = nonce, .subject = subject}, now_seconds(stream));
}

/// The provider may sign with a key that it had not when it was asked for them.
bool OidcAuthenticator::wait_for_keys(Stream& stream, const AuthAsker* asker,
                                      const identity::TokenResponse& tokens) const {
  std::vector<JwtKeys::Waiter>& waiters = parts_.keys->shard(stream.shard().shard()).waiters;
  if (asker == nullptr || waiters.size() >= JwtKeys::kWaitersMax ||
      !parts_.keys->want(config_.id_token, stream.now().time_since_epoch().count())) {
    return false;
  }
  buffer::Arena& arena = stream.arena();
  visit_of(stream).tokens =
      std::construct_at(reinterpret_cast<WaitingTokens*>(
                            arena.allocate(sizeof(WaitingTokens), alignof(WaitingTokens))),
                        WaitingTokens{.id_token = arena.copy(tokens.id_token),
                                      .access_token = arena.copy(tokens.access_token),
                                      .refresh_token = arena.copy(tokens.refresh_token),
                                      .scope = arena.copy(tokens.scope),
                                      .expires_in = tokens.expires_in});
  waiters.push_back({.stream = stream.handle(), .who = this, .asker = asker});
  return true;
}

void OidcAuthenticator::on_keys(Stream& stream, const AuthAsker& asker) const noexcept {
  const WaitingTokens& tokens = *visit_of(stream).tokens;
  const Answer answer{.tokens = {.id_token = std::string(tokens.id_token),
                                 .access_token = std::string(tokens.access_token),
                                 .refresh_token = std::string(tokens.refresh_token),
                                 .scope = std::string(tokens.scope),
                                 .expires_in = tokens.expires_in}};
  asker.on_auth_answer(stream, take(stream, nullptr, answer));
}

/// An access token that nobody will see need not be kept.
void OidcAuthenticator::take_tokens(identity::OidcSession& session,
                                    const identity::TokenResponse& tokens, int64_t now_s) const {
  session.used_s = now_s;
  session.expires_s = tokens.expires_in != 0 ? now_s + tokens.expires_in : 0;
  if (config_.forward_access_token) {
    session.access_token = tokens.access_token;
  }
  if (!tokens.refresh_token.empty()) {
    session.refresh_token = tokens.refresh_token;
  }
  if (!tokens.scope.empty()) {
    session.scopes = tokens.scope;
  }
}

}  // namespace hangu::filter
