// DigestCache<T>: what was found out lately about things that are known by a keyed digest, such as
// tokens. Bounded: a new one takes the place of the one of its set that ends first. One thread's;
// the caller brings the time.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "hangu/identity/digest.h"

namespace hangu::identity {

template <class T>
class DigestCache {
 public:
  /// For `entries`, rounded up to a power of two; memory for them is taken with the first.
  explicit DigestCache(size_t entries)
      : entries_(std::bit_ceil(std::max(entries, kWays))) {}

  /// nullptr: not there, or too old. Valid until the next add().
  const T* find(const Digest& digest, int64_t now_ns) const noexcept {
    if (places_.empty()) {
      return nullptr;
    }
    const Place* const set = &places_[set_of(digest)];
    const Place* const place = same(set, digest);
    return place != set + kWays && now_ns < place->until_ns ? &place->value : nullptr;
  }

  void add(const Digest& digest, T value, int64_t until_ns) {
    places_.resize(entries_);
    Place* const set = &places_[set_of(digest)];
    Place* place = same(set, digest);
    if (place == set + kWays) {
      place = std::min_element(
          set, set + kWays, [](const Place& a, const Place& b) { return a.until_ns < b.until_ns; });
    }
    *place = {.digest = digest, .until_ns = until_ns, .value = std::move(value)};
  }

 private:
  static constexpr size_t kWays = 4;

  struct Place {
    Digest digest{};
    int64_t until_ns = INT64_MIN;
    T value{};
  };

  /// The digest is keyed, so any of its bits will do.
  size_t set_of(const Digest& digest) const noexcept {
    return (DigestHash{}(digest) & (entries_ / kWays - 1)) * kWays;
  }

  template <class P>
  static P* same(P* set, const Digest& digest) noexcept {
    return std::find_if(set, set + kWays, [&](const Place& one) {
      return one.until_ns != INT64_MIN && one.digest == digest;
    });
  }

  size_t entries_;
  std::vector<Place> places_;
};

}  // namespace hangu::identity
