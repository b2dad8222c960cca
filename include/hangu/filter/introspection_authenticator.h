// IntrospectionAuthenticator: a token whose issuer is asked what it is worth (RFC 7662). The
// request waits for the answer, and with it all others on the shard that show the same token; then
// the answer is remembered for a while. IntrospectionMemory: that memory, and the questions under
// way, per shard; lives on over config generations.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "hangu/filter/authenticator.h"
#include "hangu/filter/callout.h"
#include "hangu/filter/consumer_table.h"
#include "hangu/filter/stream_handle.h"
#include "hangu/filter/token_principal.h"
#include "hangu/identity/digest_cache.h"
#include "hangu/identity/introspection.h"

namespace hangu::filter {

class IntrospectionAuthenticator;
struct IntrospectionQuestion;

/// What an issuer has said of a token.
struct KnownToken {
  AuthOutcome::Kind kind = AuthOutcome::Kind::kRefused;
  std::string_view reason;  // static; unless it is kProved
  identity::TokenFacts facts;
};

class IntrospectionMemory {
 public:
  /// Requests that wait for answers, on one shard.
  static constexpr size_t kWaitersMax = 4096;

  /// One shard's; that shard alone touches it.
  struct alignas(64) ShardSide {
    explicit ShardSide(size_t entries);
    ShardSide(ShardSide&&) noexcept;
    ShardSide& operator=(ShardSide&&) = delete;
    ~ShardSide();

    identity::DigestCache<KnownToken> cache;
    std::unordered_map<identity::Digest, std::unique_ptr<IntrospectionQuestion>,
                       identity::DigestHash>
        asked;
    size_t waiting = 0;
  };

  IntrospectionMemory(uint32_t shards, size_t entries);
  ~IntrospectionMemory();

  IntrospectionMemory(const IntrospectionMemory&) = delete;
  IntrospectionMemory& operator=(const IntrospectionMemory&) = delete;

  ShardSide& shard(uint32_t number) { return shards_[number]; }

 private:
  std::vector<ShardSide> shards_;
};

class IntrospectionAuthenticator final : public Authenticator {
 public:
  static constexpr uint64_t kAnswerBytesMax = 64 * 1024;
  static constexpr size_t kTokenBytesMax = 8 * 1024;

  /// What it is made of beside its config.
  struct Parts {
    uint32_t cluster = 0;  // of the issuer
    std::shared_ptr<IntrospectionMemory> memory;
    std::shared_ptr<const ConsumerTable> consumers;
    std::vector<std::string> claims;  // that rules, keys and fields look at
    std::string_view secret;          // of the process, which outlives it
  };

  IntrospectionAuthenticator(const config::IntrospectionAuth& config, Parts parts);

  AuthOutcome authenticate(Stream& stream, const AuthAsker& asker) const noexcept override;
  void strip(Stream& stream) const noexcept override;
  std::string_view challenge(const AuthOutcome& outcome) const noexcept override;

  void on_answer(IntrospectionQuestion& question, const CalloutAnswer& answer) const noexcept;

 private:
  AuthOutcome outcome_of(Stream& stream, const KnownToken& known) const noexcept;
  AuthOutcome unavailable(std::string_view reason) const noexcept;
  AuthOutcome wait(Stream& stream, const AuthAsker& asker, const identity::Digest& digest,
                   std::string_view token) const noexcept;
  void ask(Stream& stream, IntrospectionQuestion& question, std::string_view token) const noexcept;
  KnownToken judge(const identity::IntrospectionResult& result) const;
  Duration ttl_of(const identity::IntrospectionResult& result, int64_t now_s) const noexcept;
  void tell(IntrospectionQuestion& question, const KnownToken* known,
            std::string_view fault) const noexcept;

  config::IntrospectionAuth config_;
  identity::IntrospectionRules rules_;
  TokenClaims claims_;
  Parts parts_;
  CalloutTarget target_;
  std::string authorization_;  // of the gateway, to the issuer
};

}  // namespace hangu::filter
