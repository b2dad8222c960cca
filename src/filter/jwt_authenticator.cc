#include "hangu/filter/jwt_authenticator.h"

#include <algorithm>
#include <limits>

#include "hangu/filter/credentials.h"
#include "hangu/filter/principal.h"
#include "hangu/filter/stream.h"
#include "hangu/http/parameters.h"

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
      claims_(std::move(claims)) {
  for (const config::ClaimHeader& header : config_.claim_headers) {
    claims_.push_back(header.claim);
  }
  std::sort(claims_.begin(), claims_.end());
  claims_.erase(std::unique(claims_.begin(), claims_.end()), claims_.end());
}

std::optional<std::string_view> JwtAuthenticator::find(const Stream& stream) const noexcept {
  if (const auto token = authorization(stream, "Bearer")) {
    return token;
  }
  for (const std::string& name : config_.cookies) {
    if (const auto token = http::cookie(stream.request.headers, name)) {
      return token;
    }
  }
  for (const std::string& name : config_.query) {
    if (const auto token = http::query_parameter(stream.request.query, name)) {
      return token;
    }
  }
  return std::nullopt;
}

AuthOutcome JwtAuthenticator::authenticate(Stream& stream, const AuthAsker& asker) const noexcept {
  const std::optional<std::string_view> token = find(stream);
  if (!token) {
    return {};
  }
  if (identity::TokenCache* const tokens = cache(stream)) {
    if (const auto* const known = tokens->find(*token, unix_seconds(stream))) {
      AuthOutcome outcome = proved(stream, known->facts);
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
    side.cache = std::make_unique<identity::TokenCache>(config_.cache_entries, keys_->seed());
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
      identity::TokenFacts facts = facts_of(result.claims);
      if (tokens == nullptr) {
        return proved(stream, facts);
      }
      const auto length = std::chrono::duration_cast<std::chrono::seconds>(config_.cache).count();
      const int64_t until = unix_seconds(stream) + length;
      return proved(stream,
                    tokens
                        ->add(token, std::move(facts),
                              result.expires_s != 0 ? std::min(until, result.expires_s) : until)
                        .facts);
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
  waiters.push_back({.stream = stream.handle(), .authenticator = this, .asker = asker});
  return true;
}

void JwtAuthenticator::answer(Stream& stream, const AuthAsker& asker) const noexcept {
  const std::optional<std::string_view> token = find(stream);
  asker.on_auth_answer(stream, token ? verify(stream, *token, nullptr) : AuthOutcome{});
}

identity::TokenFacts JwtAuthenticator::facts_of(const identity::Claims& claims) const {
  identity::TokenFacts facts{.consumer = std::string(claims.text(config_.consumer_claim)),
                             .id = std::string(claims.text("jti"))};
  const auto copy = [](const std::vector<std::string_view>& words) {
    return std::vector<std::string>(words.begin(), words.end());
  };
  facts.groups = copy(claims.words(config_.groups_claim));
  facts.scopes = copy(claims.words(config_.scopes_claim));
  for (const identity::Claim& claim : claims.all()) {
    if (std::binary_search(claims_.begin(), claims_.end(), claim.name)) {
      facts.claims.emplace_back(claim.name, claim.value);
    }
  }
  return facts;
}

/// What goes into the stream is copied: the cache may drop the token while the stream lives.
AuthOutcome JwtAuthenticator::proved(Stream& stream,
                                     const identity::TokenFacts& facts) const noexcept {
  Principal& principal = make_principal(stream);
  const ConsumerEntry* const known = consumers_->find(facts.consumer);
  principal.consumer = stream.arena().copy(facts.consumer);
  principal.method = "jwt";
  principal.credential = stream.arena().copy(facts.id);
  using Texts = std::span<const std::string_view>;
  principal.groups = join_texts(stream, facts.groups, known != nullptr ? known->groups : Texts{});
  principal.scopes = join_texts(stream, facts.scopes, known != nullptr ? known->scopes : Texts{});
  copy_claims(stream, facts, principal);
  return {.kind = Kind::kProved, .principal = &principal};
}

void JwtAuthenticator::copy_claims(Stream& stream, const identity::TokenFacts& facts,
                                   Principal& principal) const noexcept {
  const size_t count = facts.claims.size();
  if (count == 0) {
    return;
  }
  auto* const list = reinterpret_cast<NamedClaim*>(
      stream.arena().allocate(count * sizeof(NamedClaim), alignof(NamedClaim)));
  for (size_t i = 0; i < count; ++i) {
    std::construct_at(&list[i], NamedClaim{.name = stream.arena().copy(facts.claims[i].first),
                                           .value = stream.arena().copy(facts.claims[i].second)});
  }
  principal.claims = {list, count};
}

void JwtAuthenticator::strip(Stream& stream) const noexcept {
  strip_authorization(stream, "Bearer");
  strip_cookies(stream, config_.cookies);
  strip_query_parameters(stream, config_.query);
}

/// RFC 6750 §3.
std::string_view JwtAuthenticator::challenge(const AuthOutcome& outcome) const noexcept {
  switch (outcome.kind) {
    case Kind::kRefused: return "Bearer error=\"invalid_token\"";
    case Kind::kForbidden: return "Bearer error=\"insufficient_scope\"";
    default: return "Bearer";
  }
}

}  // namespace hangu::filter
