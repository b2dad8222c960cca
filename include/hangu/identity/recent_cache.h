// RecentCache<Keys, T>: what was found out lately about things such as tokens, by a text or by a
// keyed digest. Bounded: a new one takes the place of the one of its set that ends first. One
// thread's; the caller brings the time, in whatever unit.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hangu/identity/digest.h"

namespace hangu::identity {

/// By the whole text: what is alike but for a byte is another one.
struct TextKeys {
  using Key = std::string;
  using View = std::string_view;

  uint64_t seed = 0;  // random, so that nobody can choose texts that push each other out

  uint64_t hash_of(std::string_view text) const noexcept;
};

struct DigestKeys {
  using Key = Digest;
  using View = const Digest&;

  /// The digest is keyed, so any of its bits will do.
  static uint64_t hash_of(const Digest& digest) noexcept { return DigestHash{}(digest); }
};

template <class Keys, class T>
class RecentCache {
 public:
  using View = typename Keys::View;

  /// For `entries`, rounded up to a power of two; memory for them is taken with the first.
  explicit RecentCache(size_t entries, Keys keys = {})
      : entries_(std::bit_ceil(std::max(entries, kWays))),
        keys_(keys) {}

  /// nullptr: not there, or too old. Valid until the next call.
  const T* find(View key, int64_t now) const noexcept {
    if (places_.empty()) {
      return nullptr;
    }
    const uint64_t hash = keys_.hash_of(key);
    const Place* const set = set_of(places_, hash);
    const Place* const place = same(set, hash, key);
    return place != set + kWays && now < place->until ? &place->value : nullptr;
  }

  /// Good before `until`.
  const T& add(View key, T value, int64_t until) {
    places_.resize(entries_);
    const uint64_t hash = keys_.hash_of(key);
    Place* const set = set_of(places_, hash);
    Place* place = same(set, hash, key);
    if (place == set + kWays) {
      place = std::min_element(set, set + kWays,
                               [](const Place& a, const Place& b) { return a.until < b.until; });
    }
    place->hash = hash;
    place->until = until;
    place->key = key;
    place->value = std::move(value);
    return place->value;
  }

  /// Nothing that was true counts any more.
  void clear() noexcept { places_.clear(); }

 private:
  static constexpr size_t kWays = 4;

  struct Place {
    uint64_t hash = 0;
    int64_t until = INT64_MIN;  // of none
    typename Keys::Key key{};
    T value{};
  };

  template <class Places>
  auto* set_of(Places& places, uint64_t hash) const noexcept {
    return &places[(hash & (entries_ / kWays - 1)) * kWays];
  }

  template <class P>
  static P* same(P* set, uint64_t hash, View key) noexcept {
    return std::find_if(set, set + kWays, [&](const Place& one) {
      return one.hash == hash && one.until != INT64_MIN && one.key == key;
    });
  }

  size_t entries_;
  Keys keys_;
  std::vector<Place> places_;
};

}  // namespace hangu::identity
