#include "hangu/policy/place_sets.h"

#include <algorithm>
#include <bit>

#include "hangu/base/assert.h"

namespace hangu::policy {

PlaceSets::PlaceSets(size_t entries_max) {
  const size_t wanted = (entries_max + entries_max / kSparePart) / kWays;
  const size_t sets = std::bit_ceil(std::max(wanted, kSetsMin));
  set_mask_ = sets - 1;
  // Zeroed memory that is not touched before an entry needs it.
  void* const memory = std::calloc(sets * kWays, sizeof(Place));
  HANGU_ASSERT(memory != nullptr);
  places_.reset(static_cast<Place*>(memory));
}

}  // namespace hangu::policy
