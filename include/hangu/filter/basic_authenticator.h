// BasicAuthenticator: user and password (RFC 7617). A password that was right a moment ago costs
// one digest; any other waits while another thread verifies it. Who guesses is locked out.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "hangu/filter/authenticator.h"
#include "hangu/filter/consumer_table.h"
#include "hangu/filter/password_checker.h"

namespace hangu::filter {

class BasicAuthenticator final : public Authenticator {
 public:
  BasicAuthenticator(const config::BasicAuth& config, PasswordChecker& checker,
                     std::shared_ptr<PasswordMemory> memory,
                     std::shared_ptr<const ConsumerTable> consumers);

  AuthOutcome authenticate(Stream& stream, const AuthAsker& asker) const noexcept override;
  void strip(Stream& stream) const noexcept override;
  std::string_view challenge(const AuthOutcome& outcome) const noexcept override;

  /// For a request that has waited.
  void answer(Stream& stream, const PasswordAnswer& answer) const noexcept;

 private:
  /// Views of what was decoded.
  struct Shown {
    std::string_view user;
    std::string_view password;
    const PasswordEntry* entry = nullptr;  // nullptr: no such user
  };

  AuthOutcome ask(Stream& stream, const AuthAsker& asker, const Shown& shown,
                  const identity::Digest& digest) const noexcept;
  bool digest_of(const Shown& shown, identity::Digest& out) const noexcept;
  std::string_view hash_of(const Shown& shown) const noexcept;
  static AuthOutcome proved(Stream& stream, const PasswordEntry& entry) noexcept;

  config::BasicAuth config_;
  PasswordChecker& checker_;
  std::shared_ptr<PasswordMemory> memory_;
  std::shared_ptr<const ConsumerTable> consumers_;
  std::string challenge_;
};

}  // namespace hangu::filter
