// ReleaseSplit: a TrafficSplit in which one upstream is being released: it has a share that grows,
// and the others divide the rest by their weights. Whoever has come to it stays as long as the
// share does not shrink, and nobody changes between the others. The same buckets on every node, and
// with two upstreams the same as by weights, so that a release can be written down as weights
// without moving anybody. Pure; compiled from the config, immutable, any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "hangu/policy/traffic_split.h"

namespace hangu::policy {

class ReleaseSplit {
 public:
  /// `others`: all weights, that of `released` as 0; they are not all 0.
  ReleaseSplit(const std::vector<uint32_t>& others, size_t released)
      : others_(others),
        released_(released) {}

  /// Index of the upstream. `share`: the buckets of the one that is released.
  size_t share_of(uint32_t bucket, uint32_t share) const noexcept {
    const size_t owner = others_.share_of(bucket);
    const uint32_t begin = others_.begin(owner);
    const uint32_t end = begin + others_.buckets(owner);
    // Of each of the others as much of what it has, from the side where the released one stands.
    constexpr uint32_t kAll = TrafficSplit::kBuckets;
    const uint32_t taken = ((end - begin) * share + kAll / 2) / kAll;
    const bool is_taken = owner < released_ ? bucket >= end - taken : bucket < begin + taken;
    return is_taken ? released_ : owner;
  }

 private:
  TrafficSplit others_;
  size_t released_;
};

}  // namespace hangu::policy
