// SignatureAuthenticator: a request that its client has signed with a key of a consumer (RFC 9421,
// the older draft, or a scheme of a house's own): fresh, covering what it has to, and seen for the
// first time. What its body has to be it leaves to BodyDigestFilter.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hangu/config/signing_template.h"
#include "hangu/filter/authenticator.h"
#include "hangu/filter/claim_store.h"
#include "hangu/filter/consumer_table.h"
#include "hangu/filter/signature_base.h"
#include "hangu/identity/digest.h"
#include "hangu/policy/replay_table.h"

namespace hangu::filter {

/// What has been signed lately, for all shards; lives on over config generations.
struct ReplayMemory {
  ReplayMemory(size_t entries_max, int64_t now_s, uint64_t chosen_seed)
      : table(entries_max, now_s),
        seed(chosen_seed) {}

  policy::ReplayTable table;
  uint64_t seed;  // random: nobody can choose what shares a place
};

class SignatureAuthenticator final : public Authenticator {
 public:
  /// What it is made of beside its config.
  struct Parts {
    std::shared_ptr<ReplayMemory> memory;  // nullptr: replays are not looked for
    ClaimStore* store = nullptr;           // of the cluster; outlives it; may be nullptr
    std::shared_ptr<const ConsumerTable> consumers;
  };

  SignatureAuthenticator(const config::Authenticator& config, Parts parts);

  AuthOutcome authenticate(Stream& stream, const AuthAsker& asker) const noexcept override;
  void strip(Stream& stream) const noexcept override;
  std::string_view challenge(const AuthOutcome& outcome) const noexcept override;

 private:
  struct Shown;
  struct ClaimWait;

  using Reader = AuthOutcome (SignatureAuthenticator::*)(const SignedMessage&, Shown&) const;

  AuthOutcome read(const SignedMessage& message, Shown& shown) const;
  AuthOutcome read_rfc9421(const SignedMessage& message, Shown& shown) const;
  AuthOutcome read_draft(const SignedMessage& message, Shown& shown) const;
  AuthOutcome read_template(const SignedMessage& message, Shown& shown) const;
  std::string_view fault_of_key(const Shown& shown, int64_t now_s) const noexcept;
  std::string_view fault_of_time(const Shown& shown, int64_t now_s) const noexcept;
  std::string_view fault_of_coverage(const Shown& shown) const noexcept;
  std::string_view want_digest(Stream& stream, const Shown& shown) const;
  AuthOutcome remember(Stream& stream, const AuthAsker& asker, const Shown& shown,
                       int64_t now_s) const;
  bool digest_once(std::string_view salt, const Shown& shown, identity::Digest& digest) const;
  AuthOutcome claim(Stream& stream, const AuthAsker& asker, const Shown& shown,
                    policy::ReplayTable::Outcome here, int64_t now_s) const;
  AuthOutcome without_store(Stream& stream, const SigningKeyEntry& key,
                            policy::ReplayTable::Outcome here) const noexcept;
  AuthOutcome hear_claim(Stream& stream, const ClaimWait& wait,
                         ClaimStore::Answer answer) const noexcept;
  AuthOutcome proved(Stream& stream, const SigningKeyEntry& key) const noexcept;

  std::string name_;
  config::SignatureAuth config_;
  config::SigningTemplate template_;
  int64_t clock_skew_s_;
  Parts parts_;
  std::vector<std::pair<std::string_view, std::string>> challenges_;  // by reason
};

}  // namespace hangu::filter
