#include "hangu/filter/oidc_memory.h"

#include "filter/oidc_question.h"

namespace hangu::filter {

OidcMemory::ShardSide::ShardSide(size_t entries, uint64_t seed)
    : sessions(entries, {.seed = seed}),
      refreshed(kRefreshedMax) {}

OidcMemory::ShardSide::ShardSide(ShardSide&&) noexcept = default;
OidcMemory::ShardSide::~ShardSide() = default;

OidcMemory::OidcMemory(uint32_t shards, size_t entries, uint64_t seed) {
  shards_.reserve(shards);
  for (uint32_t i = 0; i < shards; ++i) {
    shards_.emplace_back(entries, seed);
  }
}

OidcMemory::~OidcMemory() = default;

}  // namespace hangu::filter
