// AuthFilter: finds out who the client is, by one of the route's authenticators or by all, and
// whether it may do what it asks for. 401 for no credential or a wrong one, 403 for one that is not
// enough. Tells the upstream in fields of its own, which it takes from clients.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "hangu/config/config.h"
#include "hangu/filter/authenticator.h"
#include "hangu/filter/consumer_table.h"
#include "hangu/filter/filter.h"
#include "hangu/http/header_name.h"
#include "hangu/policy/cidr_set.h"
#include "hangu/stats/policy_stats.h"

namespace hangu::filter {

/// One authenticator of the config, with what it is called and whether its credential is hidden.
struct NamedAuthenticator {
  std::string name;
  std::shared_ptr<const Authenticator> authenticator;
  bool forward = false;
  std::vector<config::ClaimHeader> claim_headers;
  std::shared_ptr<stats::AuthStats> stats;
};

/// `reason`: one of stats::kAuthReasons, else it counts as the last.
void count_refusal(stats::AuthStats& stats, uint32_t shard, std::string_view reason) noexcept;

struct AuthRound;  // how far a request has come

class AuthFilter final : public Filter, private AuthAsker {
 public:
  using List = std::vector<std::shared_ptr<const NamedAuthenticator>>;

  /// `authenticators`: those of the route, in order; may be empty if there are rules. `anonymous`:
  /// the consumer as whom one passes without a credential, where that is optional; empty: nobody.
  AuthFilter(List authenticators, const config::Authentication& authentication,
             const config::Authorization& authorization,
             std::shared_ptr<const ConsumerTable> consumers, std::string_view anonymous);

  std::string_view name() const override { return "auth"; }

  uint8_t hooks() const override {
    constexpr auto kAll = kRequestHeaders | kResponseHeaders | kLocalReply | kStreamEnd;
    return static_cast<uint8_t>(writes_responses_ ? kAll : kRequestHeaders);
  }

  FilterStatus on_request_headers(Stream& stream) const noexcept override;
  FilterStatus on_response_headers(Stream& stream) const noexcept override;
  void on_local_reply(Stream& stream) const noexcept override;
  void on_stream_end(Stream& stream) const noexcept override;

 private:
  struct Rule {
    config::AllowRule config;
    policy::CidrSet clients;
  };

  // AuthAsker
  void on_auth_answer(Stream& stream, const AuthOutcome& outcome) const noexcept override;

  bool run(Stream& stream, AuthRound& round) const noexcept;
  bool note(Stream& stream, AuthRound& round, const AuthOutcome& outcome) const noexcept;
  bool enough(const AuthRound& round) const noexcept;
  void conclude(Stream& stream, const AuthRound& round) const noexcept;
  void refuse(Stream& stream, const AuthRound& round) const noexcept;
  bool send_to_login(Stream& stream, const AuthRound& round) const noexcept;
  void accept(Stream& stream, const Principal& principal) const noexcept;
  void authorize(Stream& stream) const noexcept;
  bool allows(const Rule& rule, const Stream& stream) const noexcept;

  List authenticators_;
  config::Authentication authentication_;
  std::shared_ptr<const ConsumerTable> consumers_;
  Principal anonymous_;
  std::vector<Rule> rules_;
  bool writes_responses_;
  config::Mode authorization_mode_;
};

/// Takes the fields that tell an upstream who the client is from requests, on every route: only the
/// gateway may say so.
class IdentityFieldsFilter final : public Filter {
 public:
  explicit IdentityFieldsFilter(const std::vector<config::Authenticator>& authenticators);

  std::string_view name() const override { return "identity_fields"; }

  uint8_t hooks() const override { return kRequestHeaders; }

  FilterStatus on_request_headers(Stream& stream) const noexcept override;

 private:
  struct Field {
    http::HeaderName token;
    std::string name;
  };

  std::vector<Field> fields_;
};

}  // namespace hangu::filter
