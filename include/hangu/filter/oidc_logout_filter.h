// OidcLogoutFilter: the path where a provider ends sessions of an OidcAuthenticator (OpenID Connect
// Back-Channel Logout 1.0). It comes before authentication: who may do that a signed token says.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "hangu/config/config.h"
#include "hangu/filter/authenticator.h"
#include "hangu/filter/body_collector.h"
#include "hangu/filter/filter.h"
#include "hangu/filter/jwt_keys.h"
#include "hangu/filter/oidc_logouts.h"
#include "hangu/identity/logout_token.h"
#include "hangu/stats/policy_stats.h"

namespace hangu::filter {

class OidcLogoutFilter final : public Filter,
                               private BodyCollector,
                               private KeyAsker,
                               private AuthAsker {
 public:
  static constexpr uint64_t kBodyBytesMax = 16 * 1024;

  struct Parts {
    std::shared_ptr<JwtKeys> keys;
    std::shared_ptr<OidcLogouts> logouts;
    std::shared_ptr<stats::AuthStats> stats;
  };

  OidcLogoutFilter(const config::Authenticator& config, Parts parts);

  std::string_view name() const override { return "oidc_logout"; }

  uint8_t hooks() const override { return kRequestHeaders; }

  FilterStatus on_request_headers(Stream& stream) const noexcept override;

 private:
  // BodyCollector
  void on_body_collected(Stream& stream) const noexcept override;
  void on_body_too_large(Stream& stream) const noexcept override;
  // KeyAsker
  void on_keys(Stream& stream, const AuthAsker& asker) const noexcept override;

  // AuthAsker: of whoever waits for keys; nothing is asked through it.
  void on_auth_answer(Stream&, const AuthOutcome&) const noexcept override {}

  bool hear(Stream& stream, bool may_wait) const;
  identity::LogoutToken verify(Stream& stream, std::string_view token) const;
  bool wait_for_keys(Stream& stream) const;
  void end_sessions(Stream& stream, const identity::LogoutToken& token) const;
  void refuse(Stream& stream, std::string_view reason) const;

  std::string name_;  // of the authenticator
  config::OidcAuth config_;
  identity::JwtRules rules_;
  Parts parts_;
};

}  // namespace hangu::filter
