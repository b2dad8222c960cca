// CertificateAuthenticator: the client's certificate, which the listener has verified, belongs to a
// consumer: by its subject or one of its alternative names.
#pragma once

#include <memory>
#include <string_view>

#include "hangu/filter/authenticator.h"
#include "hangu/filter/consumer_table.h"

namespace hangu::filter {

class CertificateAuthenticator final : public Authenticator {
 public:
  explicit CertificateAuthenticator(std::shared_ptr<const ConsumerTable> consumers)
      : consumers_(std::move(consumers)) {}

  AuthOutcome authenticate(Stream& stream, const AuthAsker& asker) const noexcept override;

  void strip(Stream&) const noexcept override {}

  std::string_view challenge(const AuthOutcome&) const noexcept override { return {}; }

 private:
  std::shared_ptr<const ConsumerTable> consumers_;
};

}  // namespace hangu::filter
