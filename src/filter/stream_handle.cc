#include "hangu/filter/stream_handle.h"

#include "hangu/base/assert.h"

namespace hangu::filter {

StreamHandle StreamHandles::add(Stream& stream) {
  if (free_.empty()) {
    free_.push_back(static_cast<uint32_t>(slots_.size()));
    slots_.emplace_back();
  }
  const uint32_t number = free_.back();
  free_.pop_back();
  slots_[number].stream = &stream;
  return {.slot = number, .generation = slots_[number].generation};
}

void StreamHandles::remove(StreamHandle handle) noexcept {
  HANGU_ASSERT(find(handle) != nullptr);
  Slot& slot = slots_[handle.slot];
  slot.stream = nullptr;
  slot.generation = slot.generation == UINT32_MAX ? 1 : slot.generation + 1;
  free_.push_back(handle.slot);
}

}  // namespace hangu::filter
