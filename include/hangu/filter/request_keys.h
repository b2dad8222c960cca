// RequestKeys: several keys of a request at once, each the number that RequestKey would give. What
// some begin with alike is hashed once, and all that this takes lies together in memory. Compiled
// from the config, immutable, any thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "hangu/config/config.h"
#include "hangu/filter/request_part.h"
#include "hangu/policy/request_hash.h"

namespace hangu::filter {

class RequestKeys {
 public:
  using Prefixes = policy::ClientPrefixes;

  static constexpr size_t kStepsMax = 32;

  /// Those of one request, by the numbers that add() gave.
  class Hashed {
   public:
    Hashed(const RequestKeys& keys, const Stream& stream) noexcept;

    uint64_t hash(uint8_t key) const noexcept { return hashes_[key]; }

    /// False: the request lacks one of its parts.
    bool whole(uint8_t key) const noexcept { return (whole_ >> key & 1) != 0; }

   private:
    std::array<uint64_t, kStepsMax> hashes_;  // as many as there are steps
    uint64_t whole_;
  };

  /// The number of a further key, whose parts outlive this; nullopt: it has none, or all keys
  /// together take more steps than there may be.
  std::optional<uint8_t> add(const std::vector<config::KeyPart>& parts, const Prefixes& prefixes,
                             uint64_t seed);

  /// Parts that are hashed for a request.
  size_t steps() const { return steps_.size(); }

 private:
  static constexpr uint8_t kNone = UINT8_MAX;

  /// One part, after those of the step before.
  struct Step {
    uint64_t seed;  // of the first
    RequestPart part;
    uint8_t before;  // kNone: it is the first
    uint8_t ipv4_prefix;
    uint8_t ipv6_prefix;

    bool operator==(const Step& other) const noexcept;
  };

  std::vector<Step> steps_;  // each behind the one before it
};

}  // namespace hangu::filter
