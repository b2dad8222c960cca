// Choices among the endpoints of an upstream, 0 … count-1, of which some may not be usable. Pure;
// the caller brings random numbers. `count` is not 0; without a usable endpoint the answer is
// nullopt.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

namespace hangu::policy {

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

/// Of two picked at random the one that costs less: nearly as good as looking at all, and shards
/// that do not know of each other do not all run to the same one.
template <class Usable, class Cost>
std::optional<size_t> better_of_two(size_t count, uint64_t random, Usable usable, Cost cost) {
  const auto first = static_cast<size_t>((random & 0xffffffff) % count);
  const auto one = next_usable(count, first, usable);
  if (!one || count == 1) {
    return one;
  }
  const auto distance = 1 + static_cast<size_t>((random >> 32) % (count - 1));
  const auto other = next_usable(count, (*one + distance) % count, usable);
  return cost(*other) < cost(*one) ? other : one;
}

}  // namespace hangu::policy
