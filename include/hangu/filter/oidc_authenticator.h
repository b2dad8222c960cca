// OidcAuthenticator: people with browsers, who log in at an OpenID Connect provider and come back
// with a code that the gateway exchanges for tokens (authorization code flow with PKCE). The
// session lives in the browser, sealed: a request with one that this shard has seen costs a look
// into its memory. The authenticator answers two paths itself: where logins come back, and where
// sessions end.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "hangu/filter/authenticator.h"
#include "hangu/filter/callout.h"
#include "hangu/filter/consumer_table.h"
#include "hangu/filter/jwt_keys.h"
#include "hangu/filter/oidc_cookies.h"
#include "hangu/filter/oidc_logouts.h"
#include "hangu/filter/oidc_memory.h"
#include "hangu/filter/token_principal.h"
#include "hangu/http/local_reply.h"
#include "hangu/identity/oidc.h"
#include "hangu/identity/sealer.h"

namespace hangu::filter {

/// Tokens that came before the keys that would verify them; in the stream's arena.
struct WaitingTokens {
  std::string_view id_token;
  std::string_view access_token;
  std::string_view refresh_token;
  std::string_view scope;
  int64_t expires_in = 0;
};

struct RefreshWait;

/// What a stream keeps of its session, in its arena.
struct OidcVisit {
  std::string_view access_token;  // for the upstream; empty: it gets none
  SetCookies cookies;             // for the browser, with whatever it is answered

  // While tokens are asked for. A login, or a session that is refreshed:
  bool is_login = false;
  std::string_view state;
  std::string_view nonce;
  std::string_view return_to;
  std::string_view sealed;
  const WaitingTokens* tokens = nullptr;
  RefreshWait* wait = nullptr;  // for another shard; ends with the stream, see end_visit()
};

/// What ID tokens have to be, and logout tokens.
identity::JwtRules id_token_rules(const config::OidcAuth& config);

/// When the stream is over.
void end_visit(OidcVisit& visit) noexcept;

class OidcAuthenticator final : public Authenticator, private KeyAsker {
 public:
  static constexpr uint64_t kAnswerBytesMax = 64 * 1024;

  /// What it is made of beside its config.
  struct Parts {
    uint32_t cluster = 0;  // of the provider
    std::shared_ptr<JwtKeys> keys;
    std::shared_ptr<OidcMemory> memory;
    std::shared_ptr<const OidcLogouts> logouts;  // nullptr: the provider ends no sessions
    std::shared_ptr<const ConsumerTable> consumers;
    std::vector<std::string> claims;                // that rules, keys and fields look at
    std::string_view secret;                        // of the process, which outlives it
    std::vector<std::string> session_secrets = {};  // where the config has none
  };

  OidcAuthenticator(const config::Authenticator& config, Parts parts);

  AuthOutcome authenticate(Stream& stream, const AuthAsker& asker) const noexcept override;

  /// Nothing: SessionCookiesFilter does, on every route.
  void strip(Stream& /*stream*/) const noexcept override {}

  std::string_view challenge(const AuthOutcome& outcome) const noexcept override;
  bool send_to_login(Stream& stream) const noexcept override;

  bool writes_responses() const noexcept override { return true; }

  void on_answer(OidcQuestion& question, const CalloutAnswer& answer) const noexcept;
  /// For a request that has waited for another shard.
  void look_again(Stream& stream, const AuthAsker& asker) const noexcept;

 private:
  /// Of the token endpoint.
  struct Answer {
    std::string_view fault;  // empty: there are tokens
    identity::TokenResponse tokens;
  };

  // KeyAsker
  void on_keys(Stream& stream, const AuthAsker& asker) const noexcept override;

  OidcMemory::ShardSide& side(Stream& stream) const noexcept;
  const identity::ProviderMetadata* provider(Stream& stream) const noexcept;
  std::string_view authorization_endpoint(Stream& stream) const noexcept;
  std::string_view token_target(Stream& stream) const noexcept;

  // Sessions.
  const KnownSession* open(Stream& stream, std::string_view sealed) const;
  const KnownSession& remember(Stream& stream, std::string_view sealed,
                               identity::OidcSession session) const;
  AuthOutcome use(Stream& stream, const AuthAsker& asker, std::string_view sealed,
                  const KnownSession& known) const;
  bool is_over(const identity::OidcSession& session, int64_t now_s) const noexcept;
  bool is_ended(const KnownSession& known) const noexcept;
  AuthOutcome accept(Stream& stream, const KnownSession& known) const;
  void renew(Stream& stream, const KnownSession& known) const;
  AuthOutcome refresh(Stream& stream, const AuthAsker& asker, std::string_view sealed,
                      const KnownSession& known) const;
  AuthOutcome ask_for_refresh(Stream& stream, const AuthAsker& asker,
                              const identity::Digest& digest,
                              const std::string& refresh_token) const;
  AuthOutcome wait_for_others(Stream& stream, const AuthAsker& asker) const;
  void note_refreshed(Stream& stream, const identity::Digest& digest,
                      std::string_view sealed) const;
  identity::Digest digest_of(std::string_view kind, std::string_view text) const noexcept;

  // Logins.
  bool may_be_sent(const Stream& stream) const noexcept;
  void make_room(Stream& stream, SetCookies& cookies) const;
  AuthOutcome callback(Stream& stream, const AuthAsker& asker) const;
  std::optional<identity::OidcLogin> login_of(Stream& stream) const;
  AuthOutcome provider_error(Stream& stream, std::string_view error) const;
  AuthOutcome logout(Stream& stream) const;

  // The token endpoint.
  AuthOutcome ask(Stream& stream, const AuthAsker& asker, const identity::Digest& digest,
                  std::string_view form) const;
  static Answer read(const CalloutAnswer& answer);
  AuthOutcome take(Stream& stream, const AuthAsker* asker, const Answer& answer) const;
  AuthOutcome finish_login(Stream& stream, const AuthAsker* asker, const Answer& answer) const;
  AuthOutcome begin_session(Stream& stream, const identity::TokenResponse& tokens) const;
  AuthOutcome finish_refresh(Stream& stream, const AuthAsker* asker, const Answer& answer) const;
  identity::IdTokenResult verify(Stream& stream, const identity::TokenResponse& tokens,
                                 std::string_view nonce, std::string_view subject) const;
  bool wait_for_keys(Stream& stream, const AuthAsker* asker,
                     const identity::TokenResponse& tokens) const;
  void take_tokens(identity::OidcSession& session, const identity::TokenResponse& tokens,
                   int64_t now_s) const;

  AuthOutcome reply(Stream& stream, http::LocalReply reply, std::string_view reason,
                    const SetCookies& cookies, std::string_view location = {}) const;
  static AuthOutcome unavailable(std::string_view reason) noexcept;

  std::string name_;
  config::OidcAuth config_;
  identity::OidcClient client_;
  identity::JwtRules rules_;
  std::string authorization_;  // of the gateway, to the provider
  std::string callback_path_;
  std::string challenge_;
  OidcCookies cookies_;
  identity::Sealer session_sealer_;
  identity::Sealer login_sealer_;
  TokenClaims claims_;
  Parts parts_;
  CalloutTarget target_;
};

}  // namespace hangu::filter
