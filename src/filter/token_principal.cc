#include "hangu/filter/token_principal.h"

#include <algorithm>
#include <memory>
#include <span>
#include <utility>

#include "hangu/filter/principal.h"
#include "hangu/filter/stream.h"

namespace hangu::filter {
namespace {

void copy_claims(Stream& stream, const identity::TokenFacts& facts, Principal& principal) {
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

}  // namespace

TokenClaims::TokenClaims(Names names, std::vector<std::string> kept,
                         const std::vector<config::ClaimHeader>& headers)
    : names_(std::move(names)),
      kept_(std::move(kept)) {
  for (const config::ClaimHeader& header : headers) {
    kept_.push_back(header.claim);
  }
  std::sort(kept_.begin(), kept_.end());
  kept_.erase(std::unique(kept_.begin(), kept_.end()), kept_.end());
}

identity::TokenFacts TokenClaims::facts_of(const identity::Claims& claims) const {
  identity::TokenFacts facts{.consumer = std::string(claims.text(names_.consumer)),
                             .id = std::string(claims.text("jti"))};
  const auto copy = [](const std::vector<std::string_view>& words) {
    return std::vector<std::string>(words.begin(), words.end());
  };
  facts.groups = copy(claims.words(names_.groups));
  facts.scopes = copy(claims.words(names_.scopes));
  for (const identity::Claim& claim : claims.all()) {
    if (std::binary_search(kept_.begin(), kept_.end(), claim.name)) {
      facts.claims.emplace_back(claim.name, claim.value);
    }
  }
  return facts;
}

Principal& principal_of(Stream& stream, const identity::TokenFacts& facts,
                        const ConsumerTable& consumers) {
  Principal& principal = make_principal(stream);
  const ConsumerEntry* const known = consumers.find(facts.consumer);
  principal.consumer = stream.arena().copy(facts.consumer);
  principal.credential = stream.arena().copy(facts.id);
  using Texts = std::span<const std::string_view>;
  principal.groups = join_texts(stream, facts.groups, known != nullptr ? known->groups : Texts{});
  principal.scopes = join_texts(stream, facts.scopes, known != nullptr ? known->scopes : Texts{});
  copy_claims(stream, facts, principal);
  return principal;
}

std::string_view bearer_challenge(const AuthOutcome& outcome) noexcept {
  switch (outcome.kind) {
    case AuthOutcome::Kind::kRefused: return "Bearer error=\"invalid_token\"";
    case AuthOutcome::Kind::kForbidden: return "Bearer error=\"insufficient_scope\"";
    default: return "Bearer";
  }
}

}  // namespace hangu::filter
