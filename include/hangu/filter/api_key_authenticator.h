// ApiKeyAuthenticator: a key in a header field (or, where a config says so, in the query or a
// cookie) that belongs to a consumer. Only digests of keys are known here.
#pragma once

#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "hangu/filter/authenticator.h"
#include "hangu/filter/consumer_table.h"
#include "hangu/http/header_name.h"

namespace hangu::filter {

class ApiKeyAuthenticator final : public Authenticator {
 public:
  ApiKeyAuthenticator(const config::ApiKeyAuth& config,
                      std::shared_ptr<const ConsumerTable> consumers);

  AuthOutcome authenticate(Stream& stream, const AuthAsker& asker) const noexcept override;
  void strip(Stream& stream) const noexcept override;

  std::string_view challenge(const AuthOutcome&) const noexcept override { return challenge_; }

 private:
  struct Field {
    http::HeaderName token;
    std::string name;
  };

  std::optional<std::string_view> find(const Stream& stream) const noexcept;

  config::ApiKeyAuth config_;
  std::vector<Field> fields_;
  std::shared_ptr<const ConsumerTable> consumers_;
  std::string challenge_;
};

}  // namespace hangu::filter
