#include "hangu/filter/jwt_authenticator.h"

#include <algorithm>
#include <limits>

#include "hangu/filter/credentials.h"
#include "hangu/filter/principal.h"
#include "hangu/filter/stream.h"

namespace hangu::filter {

using Kind = AuthOutcome::Kind;
using identity::JwtFault;

namespace {

identity::JwtRules to_rules(const config::JwtAuth& config) {
  return {
      .issuer = config.issuer,
      .audiences = config.audiences,
      .algorithms = config.algorithms,
      .clock_skew_s = std::chrono::duration_cast<std::chrono::seconds>(config.clock_skew).count(),
      .type = config.type,
      .scopes_claim = config.scopes_claim,
      .required_scopes = config.required_scopes};
}

}  // namespace

JwtAuthenticator::JwtAuthenticator(const config::JwtAuth& config, std::shared_ptr<JwtKeys> keys,
                                   std::shared_ptr<const ConsumerTable> consumers,
                                   std::vector<std::string> claims)
    : config_(config),
      rules_(to_rules(config)),
      keys_(std::move(keys)),
      consumers_(std::move(consumers)),
      claims_({.consumer = config.consumer_claim,
               .scopes = config.scopes_claim,
               .groups = config.groups_claim},
              std::move(claims), config.claim_headers) {}

std::optional<std::string_view> JwtAuthenticator::find(const Stream& stream) const noexcept {
  return bearer_token(stream, config_.cookies, config_.query);
}

AuthOutcome JwtAuthenticator::authenticate(Stream& stream, const AuthAsker& asker) const noexcept {
  const std::optional<std::string_view> token = find(stream);
  if (!token) {
    return {};
  }
  if (identity::TokenCache* const tokens = cache(stream)) {
    if (const auto* const known = tokens->find(*token, unix_seconds(stream))) {
      AuthOutcome outcome = proved(stream, *known);
      outcome.cached = true;
      return outcome;
    }
  }
  return verify(stream, *token, &asker);
}

/// The shard's; nullptr: none is kept.
identity::TokenCache* JwtAuthenticator::cache(Stream& stream) const noexcept {
  JwtKeys::ShardSide& side = keys_->shard(stream.shard().shard());
  if (side.cache == nullptr && config_.cache_entries != 0) {
    side.cache = std::make_unique<identity::TokenCache>(config_.cache_entries,
                                                        identity::TextKeys{keys_->seed()});
  }
  return side.cache.get();
}

/// `asker` is null for a request that has waited already.
AuthOutcome JwtAuthenticator::verify(Stream& stream, std::string_view token,
                                     const AuthAsker* asker) const noexcept {
  identity::TokenCache* const tokens = cache(stream);
  const identity::JwkSet* const keys = keys_->shard(stream.shard().shard()).keys.get();
  if (keys == nullptr) {
    return wait(stream, asker)
               ? AuthOutcome{.kind = Kind::kWaiting}
               : AuthOutcome{.kind = Kind::kUnavailable, .reason = "no_keys", .retry_after_s = 1};
  }
  const identity::JwtResult result =
      identity::verify_jwt(token, rules_, *keys, unix_seconds(stream));
  switch (result.fault) {
    case JwtFault::kNone: {
      identity::TokenFacts facts = claims_.facts_of(result.claims);
      if (tokens == nullptr) {
        return proved(stream, facts);
      }
      const auto length = std::chrono::duration_cast<std::chrono::seconds>(config_.cache).count();
      const int64_t until = unix_seconds(stream) + length;
      return proved(stream,
                    tokens->add(token, std::move(facts),
                                result.expires_s != 0 ? std::min(until, result.expires_s) : until));
    }
    case JwtFault::kScope: return {.kind = Kind::kForbidden, .reason = "scope"};
    case JwtFault::kUnknownKey:
    case JwtFault::kSignature:
      // Perhaps the issuer has new keys, or a new key by an old name.
      if (wait(stream, asker)) {
        return {.kind = Kind::kWaiting};
      }
      break;
    default: break;
  }
  return {.kind = Kind::kRefused, .reason = identity::to_string(result.fault)};
}

bool JwtAuthenticator::wait(Stream& stream, const AuthAsker* asker) const noexcept {
  std::vector<JwtKeys::Waiter>& waiters = keys_->shard(stream.shard().shard()).waiters;
  if (asker == nullptr || waiters.size() >= JwtKeys::kWaitersMax ||
      !keys_->want(config_, stream.now().time_since_epoch().count())) {
    return false;
  }
  waiters.push_back({.stream = stream.handle(), .who = this, .asker = asker});
  return true;
}

void JwtAuthenticator::on_keys(Stream& stream, const AuthAsker& asker) const noexcept {
  const std::optional<std::string_view> token = find(stream);
  asker.on_auth_answer(stream, token ? verify(stream, *token, nullptr) : AuthOutcome{});
}

/// What goes into the stream is copied: the cache may drop the token while the stream lives.
AuthOutcome JwtAuthenticator::proved(Stream& stream,
                                     const identity::TokenFacts& facts) const noexcept {
  Principal& principal = principal_of(stream, facts, *consumers_);
  principal.method = "jwt";
  return {.kind = Kind::kProved, .principal = &principal};
}

void JwtAuthenticator::strip(Stream& stream) const noexcept {
  strip_bearer_token(stream, config_.cookies, config_.query);
}

std::string_view JwtAuthenticator::challenge(const AuthOutcome& outcome) const noexcept {
  return bearer_challenge(outcome);
}

}  // namespace hangu::filter
