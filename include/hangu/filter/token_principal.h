// What requests need of a token's claims, and the Principal that they make: for all authenticators
// that deal with tokens. Immutable; any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "hangu/config/identity.h"
#include "hangu/filter/authenticator.h"
#include "hangu/filter/consumer_table.h"
#include "hangu/identity/claims.h"
#include "hangu/identity/token_cache.h"

namespace hangu::filter {

class TokenClaims {
 public:
  /// Which claims say what.
  struct Names {
    std::string consumer;
    std::string scopes;
    std::string groups;
  };

  /// `kept`: those that rules and keys look at, beside those of `headers`.
  TokenClaims(Names names, std::vector<std::string> kept,
              const std::vector<config::ClaimHeader>& headers);

  identity::TokenFacts facts_of(const identity::Claims& claims) const;

 private:
  Names names_;
  std::vector<std::string> kept_;  // sorted
};

/// Without its method. What it says is copied into the stream's arena, but for what the table knows
/// of the consumer.
Principal& principal_of(Stream& stream, const identity::TokenFacts& facts,
                        const ConsumerTable& consumers);

/// RFC 6750 §3.
std::string_view bearer_challenge(const AuthOutcome& outcome) noexcept;

}  // namespace hangu::filter
