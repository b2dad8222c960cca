#include "hangu/identity/recent_cache.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace hangu::identity {

uint64_t TextKeys::hash_of(std::string_view text) const noexcept {
  return XXH3_64bits_withSeed(text.data(), text.size(), seed);
}

}  // namespace hangu::identity
