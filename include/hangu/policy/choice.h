// Choices among the endpoints of an upstream, 0 … count-1, of which some may not be usable. Pure;
// the caller brings random numbers. `count` is not 0; without a usable endpoint the answer is
// nullopt.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "hangu/config/mode.h"

namespace hangu::policy {

/// Whether a request is among so many percent of all.
constexpr bool is_chosen(config::Percent percent, uint64_t random) noexcept {
  return (random >> 32) * config::Percent::kAll >> 32 < percent.millionths;
}

/// The first usable one from `from` on, around.
template <class Usable>
std::optional<size_t> next_usable(size_t count, size_t from, Usable usable) {
  for (size_t i = 0; i < count; ++i) {
    const size_t at = from + i < count ? from + i : from + i - count;
    if (usable(at)) {
      return at;
    }
  }
  return std::nullopt;
}

/// Positions at random, each as often as its weight says.
class WeightedSample {
 public:
  WeightedSample() = default;

  /// None is 0.
  explicit WeightedSample(std::span<const uint32_t> weights) {
    const bool alike = std::all_of(weights.begin(), weights.end(),
                                   [&](uint32_t weight) { return weight == weights.front(); });
    count_ = weights.size();
    uint64_t sum = 0;
    for (size_t i = 0; i < weights.size() && !alike; ++i) {
      ends_.push_back(sum += weights[i]);
    }
  }

  size_t at(uint32_t random) const noexcept {
    return ends_.empty() ? random % count_ : find(random % ends_.back());
  }

  /// Another one than `first`; there is one.
  size_t other(size_t first, uint32_t random) const noexcept {
    if (ends_.empty()) {
      return (first + 1 + random % (count_ - 1)) % count_;
    }
    const uint64_t begin = first == 0 ? 0 : ends_[first - 1];
    const uint64_t weight = ends_[first] - begin;
    const uint64_t point = random % (ends_.back() - weight);
    return find(point < begin ? point : point + weight);
  }

 private:
  size_t find(uint64_t point) const noexcept {
    return static_cast<size_t>(std::upper_bound(ends_.begin(), ends_.end(), point) - ends_.begin());
  }

  size_t count_ = 0;
  std::vector<uint64_t> ends_;  // sums of the weights; empty: all are alike
};

/// Of two picked at random the one that costs less: nearly as good as looking at all, and shards
/// that do not know of each other do not all run to the same one. Who weighs more is picked more
/// often; his load is to cost less accordingly.
template <class Usable, class Cost>
std::optional<size_t> better_of_two(const WeightedSample& sample, size_t count, uint64_t random,
                                    Usable usable, Cost cost) {
  const auto one =
      next_usable(count, sample.at(static_cast<uint32_t>(random & 0xffffffff)), usable);
  if (!one || count == 1) {
    return one;
  }
  const auto other =
      next_usable(count, sample.other(*one, static_cast<uint32_t>(random >> 32)), usable);
  return cost(*other) < cost(*one) ? other : one;
}

/// Whether an endpoint has room for one more request when none is to have more than
/// `factor_percent` of its share of all that are under way.
inline bool has_room(uint64_t active, uint64_t weight, uint64_t active_sum, uint64_t weight_sum,
                     uint32_t factor_percent) noexcept {
  return active * 100 * weight_sum < factor_percent * (active_sum + 1) * weight;
}

}  // namespace hangu::policy
