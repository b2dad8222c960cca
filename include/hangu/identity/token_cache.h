// TokenCache: tokens that were verified lately, by the whole token, so that the next request with
// one costs a hash and a comparison. Bounded; one shard's; the caller brings the time.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace hangu::identity {

/// What of a token requests need, ready for use.
struct TokenFacts {
  std::string consumer;
  std::string id;
  std::vector<std::string> groups;
  std::vector<std::string> scopes;
  std::vector<std::pair<std::string, std::string>> claims;  // name and value
};

struct CachedToken {
  std::string token;
  TokenFacts facts;
  int64_t until_s = 0;  // Unix time: good before it
};

class TokenCache {
 public:
  /// For `entries` tokens, rounded up to a power of two; memory is taken as they come. `seed`:
  /// random, so that nobody can choose tokens that push each other out.
  TokenCache(size_t entries, uint64_t seed);

  /// nullptr: not there, or too old. Valid until the next call.
  const CachedToken* find(std::string_view token, int64_t now_s) const noexcept;

  /// In place of one that is older, if there is no room.
  const CachedToken& add(std::string_view token, TokenFacts facts, int64_t until_s);

  /// The keys have changed: nothing that was true of them counts any more.
  void clear() noexcept;

 private:
  static constexpr size_t kWays = 4;

  struct Place {
    uint64_t hash = 0;
    CachedToken cached;
  };

  Place* set_of(uint64_t hash) const noexcept;
  uint64_t hash_of(std::string_view token) const noexcept;

  mutable std::vector<Place> places_;
  size_t set_mask_;
  uint64_t seed_;
};

}  // namespace hangu::identity
