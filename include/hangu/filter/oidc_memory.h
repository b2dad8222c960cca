// OidcMemory: what one authenticator of OpenID Connect remembers, per shard: sessions that it has
// decrypted, what refreshed ones have become, and the questions to the token endpoint that are
// under way; and where shards tell each other of refreshed ones. Lives on over config generations.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "hangu/filter/oidc_logouts.h"
#include "hangu/identity/digest_cache.h"
#include "hangu/identity/oidc_session.h"
#include "hangu/identity/refresh_board.h"
#include "hangu/identity/token_cache.h"

namespace hangu::filter {

struct OidcQuestion;

/// A session in the clear, with what requests need of it.
struct KnownSession {
  identity::OidcSession session;
  identity::TokenFacts facts;
  OidcLogouts::Keys logout_keys;
};

class OidcMemory {
 public:
  /// Requests that wait for answers, on one shard.
  static constexpr size_t kWaitersMax = 4096;
  /// Sessions that were refreshed lately, on one shard.
  static constexpr size_t kRefreshedMax = 4096;

  /// One shard's; that shard alone touches it.
  struct alignas(64) ShardSide {
    ShardSide(size_t entries, uint64_t seed);
    ShardSide(ShardSide&&) noexcept;
    ShardSide& operator=(ShardSide&&) = delete;
    ~ShardSide();

    identity::RecentCache<identity::TextKeys, KnownSession> sessions;  // by what is sealed
    // By the refresh token: the sealed session that it has brought; empty: the provider refused.
    identity::DigestCache<std::string> refreshed;
    std::unordered_map<identity::Digest, std::unique_ptr<OidcQuestion>, identity::DigestHash> asked;
    size_t waiting = 0;
  };

  OidcMemory(uint32_t shards, size_t entries, uint64_t seed);
  ~OidcMemory();

  OidcMemory(const OidcMemory&) = delete;
  OidcMemory& operator=(const OidcMemory&) = delete;

  ShardSide& shard(uint32_t number) { return shards_[number]; }

  /// What shards tell each other; any of them.
  identity::RefreshBoard& board() { return board_; }

 private:
  identity::RefreshBoard board_;
  std::vector<ShardSide> shards_;
};

}  // namespace hangu::filter
