#include "hangu/identity/token_cache.h"

#include <algorithm>
#include <bit>
#include <utility>

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace hangu::identity {

TokenCache::TokenCache(size_t entries, uint64_t seed)
    : places_(std::bit_ceil(std::max(entries, kWays))),
      set_mask_(places_.size() / kWays - 1),
      seed_(seed) {}

uint64_t TokenCache::hash_of(std::string_view token) const noexcept {
  return XXH3_64bits_withSeed(token.data(), token.size(), seed_);
}

TokenCache::Place* TokenCache::set_of(uint64_t hash) const noexcept {
  return &places_[(static_cast<size_t>(hash) & set_mask_) * kWays];
}

const CachedToken* TokenCache::find(std::string_view token, int64_t now_s) const noexcept {
  const uint64_t hash = hash_of(token);
  const Place* const set = set_of(hash);
  for (size_t way = 0; way < kWays; ++way) {
    const Place& place = set[way];
    if (place.hash == hash && place.cached.token == token) {
      return now_s < place.cached.until_s ? &place.cached : nullptr;
    }
  }
  return nullptr;
}

const CachedToken& TokenCache::add(std::string_view token, TokenFacts facts, int64_t until_s) {
  const uint64_t hash = hash_of(token);
  Place* const set = set_of(hash);
  Place* place = std::min_element(set, set + kWays, [](const Place& a, const Place& b) {
    return a.cached.until_s < b.cached.until_s;
  });
  Place* const same = std::find_if(set, set + kWays, [&](const Place& one) {
    return one.hash == hash && one.cached.token == token;
  });
  place = same != set + kWays ? same : place;
  place->hash = hash;
  place->cached = {.token = std::string(token), .facts = std::move(facts), .until_s = until_s};
  return place->cached;
}

void TokenCache::clear() noexcept {
  for (Place& place : places_) {
    place = Place{};
  }
}

}  // namespace hangu::identity
