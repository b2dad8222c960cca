#include "hangu/filter/introspection_authenticator.h"

#include <algorithm>
#include <array>
#include <utility>

#include "hangu/filter/credentials.h"
#include "hangu/filter/principal.h"
#include "hangu/filter/stream.h"
#include "hangu/policy/forward_auth.h"

#include "filter/shared_question.h"

namespace hangu::filter {

using Kind = AuthOutcome::Kind;
using identity::IntrospectionFault;

/// What an issuer is being asked about one token, and who wants to know.
struct IntrospectionQuestion final
    : SharedQuestion<IntrospectionAuthenticator, IntrospectionQuestion> {
  using SharedQuestion::SharedQuestion;
};

IntrospectionMemory::ShardSide::ShardSide(size_t entries)
    : cache(entries) {}

IntrospectionMemory::ShardSide::ShardSide(ShardSide&&) noexcept = default;
IntrospectionMemory::ShardSide::~ShardSide() = default;

IntrospectionMemory::IntrospectionMemory(uint32_t shards, size_t entries) {
  shards_.reserve(shards);
  for (uint32_t i = 0; i < shards; ++i) {
    shards_.emplace_back(entries);
  }
}

IntrospectionMemory::~IntrospectionMemory() = default;

IntrospectionAuthenticator::IntrospectionAuthenticator(const config::IntrospectionAuth& config,
                                                       Parts parts)
    : config_(config),
      rules_{.issuer = config.issuer,
             .audiences = config.audiences,
             .scopes_claim = config.scopes_claim,
             .required_scopes = config.required_scopes},
      claims_({.consumer = config.consumer_claim,
               .scopes = config.scopes_claim,
               .groups = config.groups_claim},
              std::move(parts.claims), config.claim_headers),
      parts_(std::move(parts)),
      target_(parts_.cluster, config.timeout, kAnswerBytesMax),
      authorization_(identity::client_authorization(config.client_id, config.client_secret.text)) {}

AuthOutcome IntrospectionAuthenticator::authenticate(Stream& stream,
                                                     const AuthAsker& asker) const noexcept {
  const auto token = bearer_token(stream, config_.cookies, config_.query);
  if (!token) {
    return {};
  }
  identity::Digest digest{};
  const std::array<std::string_view, 2> parts = {parts_.secret, *token};
  if (token->empty() || token->size() > kTokenBytesMax ||
      !identity::compute_digest(parts, digest)) {
    return {.kind = Kind::kRefused, .reason = "malformed"};
  }
  IntrospectionMemory::ShardSide& side = parts_.memory->shard(stream.shard().shard());
  const int64_t now_ns = stream.now().time_since_epoch().count();
  if (const KnownToken* const known = side.cache.find(digest, now_ns)) {
    AuthOutcome outcome = outcome_of(stream, *known);
    outcome.cached = true;
    return outcome;
  }
  return wait(stream, asker, digest, *token);
}

/// For the answer about this token: who comes first has the issuer asked.
AuthOutcome IntrospectionAuthenticator::wait(Stream& stream, const AuthAsker& asker,
                                             const identity::Digest& digest,
                                             std::string_view token) const noexcept {
  if (callout_depth(stream) >= policy::kCalloutDepthMax) {
    return unavailable("loop");
  }
  const auto joined = join_question<IntrospectionQuestion>(*parts_.memory, *this, stream, asker,
                                                           digest, config_.requests_max);
  if (joined.question == nullptr) {
    return unavailable("busy");
  }
  if (joined.is_new) {
    ask(stream, *joined.question, token);
  }
  return {.kind = Kind::kWaiting};
}

void IntrospectionAuthenticator::ask(Stream& stream, IntrospectionQuestion& question,
                                     std::string_view token) const noexcept {
  Callout& callout = stream.shard().callouts().begin(stream, target_, question);
  begin_form(callout, config_.client_id.empty() ? std::string_view() : authorization_,
             stream.info.request_id);
  // To ask twice is to ask: the proxy may send it again if a kept connection was closed.
  static_cast<void>(callout.request().headers.add_copy("idempotency-key", stream.info.request_id));
  callout.send(config_.path, callout.arena().copy(identity::introspection_form(token)));
}

void IntrospectionAuthenticator::on_answer(IntrospectionQuestion& question,
                                           const CalloutAnswer& answer) const noexcept {
  IntrospectionMemory::ShardSide& side = parts_.memory->shard(question.shard.shard());
  // An answer may make others ask anew.
  const auto own = side.asked.extract(question.digest);
  side.waiting -= question.waiters.size();
  constexpr int kOk = 200;
  if (!answer.fault.empty() || answer.cut || answer.head->status != kOk) {
    tell(question, nullptr,
         !answer.fault.empty() ? answer.fault : std::string_view(answer.cut ? "broken" : "status"));
    return;
  }
  const int64_t now_s = std::chrono::duration_cast<std::chrono::seconds>(
                            question.shard.wall_time().time_since_epoch())
                            .count();
  const identity::IntrospectionResult result =
      identity::read_introspection(answer.body, rules_, now_s);
  if (result.fault == IntrospectionFault::kMalformed) {
    tell(question, nullptr, "broken");
    return;
  }
  const KnownToken known = judge(result);
  if (const Duration ttl = ttl_of(result, now_s); ttl > Duration::zero()) {
    side.cache.add(question.digest, known,
                   question.shard.now().time_since_epoch().count() + ttl.count());
  }
  tell(question, &known, {});
}

KnownToken IntrospectionAuthenticator::judge(const identity::IntrospectionResult& result) const {
  if (result.fault == IntrospectionFault::kNone) {
    return {.kind = Kind::kProved, .facts = claims_.facts_of(result.claims)};
  }
  return {.kind = result.fault == IntrospectionFault::kScope ? Kind::kForbidden : Kind::kRefused,
          .reason = identity::to_string(result.fault)};
}

/// Until the token expires at most.
Duration IntrospectionAuthenticator::ttl_of(const identity::IntrospectionResult& result,
                                            int64_t now_s) const noexcept {
  const bool good = result.fault == IntrospectionFault::kNone;
  const Duration ttl = good ? config_.cache : config_.negative_cache;
  const bool ends = good && result.expires_s != 0;
  const int64_t left_s = std::clamp<int64_t>(result.expires_s - now_s, 0, 24 * 3600);
  return ends ? std::min<Duration>(ttl, std::chrono::seconds(left_s)) : ttl;
}

/// `known` is null: it could not be found out, for the reason `fault`.
void IntrospectionAuthenticator::tell(IntrospectionQuestion& question, const KnownToken* known,
                                      std::string_view fault) const noexcept {
  for (const IntrospectionQuestion::Waiter& waiter : question.waiters) {
    if (Stream* const stream = question.shard.handles().find(waiter.stream)) {
      waiter.asker->on_auth_answer(*stream, known != nullptr
                                                ? waiter.authenticator->outcome_of(*stream, *known)
                                                : waiter.authenticator->unavailable(fault));
    }
  }
}

/// What goes into the stream is copied: the cache may drop the token while the stream lives.
AuthOutcome IntrospectionAuthenticator::outcome_of(Stream& stream,
                                                   const KnownToken& known) const noexcept {
  if (known.kind != Kind::kProved) {
    return {.kind = known.kind, .reason = known.reason};
  }
  Principal& principal = principal_of(stream, known.facts, *parts_.consumers);
  principal.method = "introspection";
  return {.kind = Kind::kProved, .principal = &principal};
}

AuthOutcome IntrospectionAuthenticator::unavailable(std::string_view reason) const noexcept {
  constexpr uint32_t kUnavailableStatus = 503;
  return {.kind = Kind::kUnavailable,
          .reason = reason,
          .retry_after_s = config_.status_on_error == kUnavailableStatus ? 1U : 0U,
          .status = static_cast<uint16_t>(config_.status_on_error)};
}

void IntrospectionAuthenticator::strip(Stream& stream) const noexcept {
  strip_bearer_token(stream, config_.cookies, config_.query);
}

std::string_view IntrospectionAuthenticator::challenge(const AuthOutcome& outcome) const noexcept {
  return bearer_challenge(outcome);
}

}  // namespace hangu::filter
