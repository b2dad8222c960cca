// JwtAuthenticator: a JSON Web Token of an issuer whose keys are known. A token that was verified a
// moment ago costs a look into the shard's cache. One that names an unknown key waits while the
// keys are fetched anew.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hangu/filter/authenticator.h"
#include "hangu/filter/consumer_table.h"
#include "hangu/filter/jwt_keys.h"
#include "hangu/filter/token_principal.h"
#include "hangu/identity/jwt.h"

namespace hangu::filter {

class JwtAuthenticator final : public Authenticator, private KeyAsker {
 public:
  /// `claims`: names that rules, keys and header fields look at, beside those of `config`.
  JwtAuthenticator(const config::JwtAuth& config, std::shared_ptr<JwtKeys> keys,
                   std::shared_ptr<const ConsumerTable> consumers, std::vector<std::string> claims);

  AuthOutcome authenticate(Stream& stream, const AuthAsker& asker) const noexcept override;
  void strip(Stream& stream) const noexcept override;
  std::string_view challenge(const AuthOutcome& outcome) const noexcept override;

 private:
  // KeyAsker
  void on_keys(Stream& stream, const AuthAsker& asker) const noexcept override;

  std::optional<std::string_view> find(const Stream& stream) const noexcept;
  AuthOutcome verify(Stream& stream, std::string_view token, const AuthAsker* asker) const noexcept;
  bool wait(Stream& stream, const AuthAsker* asker) const noexcept;
  AuthOutcome proved(Stream& stream, const identity::TokenFacts& facts) const noexcept;
  identity::TokenCache* cache(Stream& stream) const noexcept;

  config::JwtAuth config_;
  identity::JwtRules rules_;
  std::shared_ptr<JwtKeys> keys_;
  std::shared_ptr<const ConsumerTable> consumers_;
  TokenClaims claims_;
};

}  // namespace hangu::filter
