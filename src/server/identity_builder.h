// Compiles consumers and authenticators, and keeps over generations of the config what did not
// change: the table of consumers, the keys of token issuers with what shards remember of tokens.
// Control thread only.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "hangu/base/page_summaries.h"
#include "hangu/config/config.h"
#include "hangu/filter/auth_filter.h"
#include "hangu/filter/claim_store.h"
#include "hangu/filter/consumer_table.h"
#include "hangu/filter/filter_chain.h"
#include "hangu/filter/introspection_authenticator.h"
#include "hangu/filter/jwt_keys.h"
#include "hangu/filter/oidc_logouts.h"
#include "hangu/filter/oidc_memory.h"
#include "hangu/filter/password_checker.h"
#include "hangu/filter/signature_authenticator.h"
#include "hangu/stats/registry.h"

#include "server/logout_keeper.h"
#include "server/random.h"

namespace hangu::server {

class IdentityBuilder {
 public:
  IdentityBuilder(stats::Registry& registry, LogoutKeeper& logouts,
                  filter::JwtKeys::Fetcher& fetcher, filter::PasswordChecker& passwords)
      : registry_(registry),
        keeper_(logouts),
        fetcher_(fetcher),
        passwords_(passwords) {}

  /// The stable number of an upstream.
  using ClusterNumber = std::function<uint32_t(const std::string& upstream)>;
  /// By its name; outlives what is built.
  using StoreOf = std::function<filter::ClaimStore*(const std::string& store)>;

  struct Parts {
    ClusterNumber cluster_number;
    StoreOf store_of;
  };

  /// As config.authenticators. To be called before add_filters().
  void build(const config::Config& config, const Parts& parts);

  /// What sessions of logins are sealed with where the config says nothing: the first one seals,
  /// all open. From the next build() on.
  void use_session_secrets(std::vector<std::string> secrets) {
    session_secrets_ = std::move(secrets);
  }

  /// Whether build() has made authenticators with other ones than before.
  bool sessions_rekeyed() const { return sessions_rekeyed_; }

  /// Those of a route; none for one that asks for nothing. `service`: the authorization service's,
  /// which may say who the client is, so that the route's rules come after it; nullptr: none.
  void add_filters(const config::Route& route, std::shared_ptr<const filter::Filter> service,
                   filter::FilterChain& chain) const;

  const std::shared_ptr<const filter::ConsumerTable>& consumers() const { return consumers_; }

  /// Of the process, for keyed digests.
  std::string_view secret() const { return passwords_.secret(); }

  /// What has to see the bodies of a route's requests; nothing where nobody wants to.
  void add_body_filter(const config::Route& route, filter::FilterChain& chain) const;

  /// Whether somebody beside an authenticator looks at other claims since the last build().
  bool claims_changed() const { return claims_changed_; }

  /// nullptr: no authenticator of that name has keys.
  std::shared_ptr<filter::JwtKeys> jwt_keys(const std::string& authenticator) const;

 private:
  struct KeyMemory {
    config::JwtAuth config;
    std::shared_ptr<filter::JwtKeys> keys;
  };

  struct AnswerMemory {
    config::IntrospectionAuth config;
    std::string upstream;
    std::vector<std::string> claims;  // that were asked for
    std::shared_ptr<filter::IntrospectionMemory> memory;
    uint32_t cluster = 0;
  };

  /// What is remembered of the sessions of one authenticator.
  struct SessionMemory {
    config::OidcAuth config;
    std::string upstream;
    std::vector<std::string> claims;  // that were asked for
    std::shared_ptr<filter::OidcMemory> memory;
    uint32_t cluster = 0;
  };

  std::vector<std::string> claims_wanted(const config::Config& config);
  void keep_answers(const config::Config& config, const std::vector<std::string>& claims,
                    const ClusterNumber& cluster_number);
  std::shared_ptr<const filter::Authenticator> make(const config::Authenticator& config,
                                                    const std::vector<std::string>& claims,
                                                    filter::ClaimStore* store);
  std::shared_ptr<filter::JwtKeys> keys_for(const config::Authenticator& config);
  std::shared_ptr<filter::ReplayMemory> replays_for(const config::Authenticator& config);
  std::shared_ptr<const filter::Filter> make_logout(const config::Authenticator& config);
  std::shared_ptr<filter::OidcLogouts> logouts_for(const config::Authenticator& config);

  stats::Registry& registry_;
  LogoutKeeper& keeper_;
  filter::JwtKeys::Fetcher& fetcher_;
  filter::PasswordChecker& passwords_;
  Random random_;

  std::vector<std::string> session_secrets_;
  std::vector<std::string> secrets_built_with_;
  bool sessions_rekeyed_ = false;

  struct Replays {
    uint64_t entries = 0;
    std::shared_ptr<filter::ReplayMemory> memory;
  };

  struct Logouts {
    uint32_t entries = 0;
    uint64_t seed = 0;  // sessions that were opened before know their keys by it
    std::shared_ptr<filter::OidcLogouts> memory;
  };

  PageSummaries<config::Route, std::vector<std::string>> route_claims_;
  std::vector<std::string> claims_;
  bool claims_changed_ = false;
  std::vector<config::Consumer> consumer_configs_;
  std::shared_ptr<const filter::ConsumerTable> consumers_;
  filter::AuthFilter::List authenticators_;
  std::vector<std::shared_ptr<const filter::Filter>> logouts_;  // as these; nullptr: none
  std::vector<bool> wants_digest_;                              // as authenticators_
  std::map<std::string, KeyMemory> keys_;
  std::map<std::string, AnswerMemory> answers_;            // of issuers that are asked
  std::map<std::string, SessionMemory> sessions_;          // of logins
  std::shared_ptr<const filter::Filter> session_cookies_;  // nullptr: there are no logins
  std::map<std::string, Replays> replays_;
  std::map<std::string, Logouts> logout_memories_;
  std::map<std::string, std::shared_ptr<filter::PasswordMemory>> password_memories_;
};

}  // namespace hangu::server
