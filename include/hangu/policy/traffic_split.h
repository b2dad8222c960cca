// TrafficSplit: which of several upstreams a request of a route goes to. The requests fall into
// 10,000 buckets, and the upstreams share these in the order of the list, by weight: as long as
// the order is kept, a change of weights moves no more buckets than it has to, and the same bucket
// is the same upstream on every node. Pure; compiled from the config, immutable, any thread.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "hangu/base/parse.h"

namespace hangu::policy {

class TrafficSplit {
 public:
  static constexpr uint32_t kBuckets = 10'000;
  /// Of keys. Not 0: what is alike on all nodes must not follow the choice of an endpoint by the
  /// same key.
  static constexpr uint64_t kSeed = 0x73706c6974;

  /// The weights are not all 0.
  explicit TrafficSplit(const std::vector<uint32_t>& weights) {
    uint64_t sum = 0;
    for (const uint32_t weight : weights) {
      sum += weight;
    }
    uint64_t before = 0;
    for (const uint32_t weight : weights) {
      before += weight;
      // The nearest bucket, so that the parts are as exact as 10,000 allow.
      ends_.push_back(static_cast<uint32_t>((before * kBuckets + sum / 2) / sum));
    }
  }

  /// Of a key's hash or a random number.
  static uint32_t bucket_of(uint64_t number) noexcept {
    return static_cast<uint32_t>(number % kBuckets);
  }

  /// As a sticky cookie holds it: "0" to "9999".
  static std::optional<uint32_t> parse_bucket(std::string_view text) noexcept {
    const auto number = parse_decimal(text, kBuckets - 1);
    return number ? std::optional(static_cast<uint32_t>(*number)) : std::nullopt;
  }

  /// Index of the upstream; `bucket` is below kBuckets.
  size_t share_of(uint32_t bucket) const noexcept {
    return static_cast<size_t>(std::upper_bound(ends_.begin(), ends_.end(), bucket) -
                               ends_.begin());
  }

  /// The first bucket of an upstream that has some.
  uint32_t begin(size_t share) const noexcept { return share == 0 ? 0 : ends_[share - 1]; }

  /// How many buckets an upstream has.
  uint32_t buckets(size_t share) const noexcept { return ends_[share] - begin(share); }

 private:
  std::vector<uint32_t> ends_;  // of each upstream's buckets
};

}  // namespace hangu::policy
