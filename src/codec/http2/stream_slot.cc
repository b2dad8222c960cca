#include "hangu/codec/http2/stream_slot.h"

#include <utility>

namespace hangu::codec::http2 {

StreamSlot* StreamIndex::find(uint32_t id) const noexcept {
  StreamSlot* at = buckets_[(id >> 1) & (buckets_.size() - 1)];
  while (at != nullptr && at->id_ != id) {
    at = at->next_in_bucket_;
  }
  return at;
}

void StreamIndex::insert(StreamSlot& slot) {
  if (size_ == buckets_.size() * 2) {
    grow();
  }
  StreamSlot*& first = bucket(slot.id_);
  slot.next_in_bucket_ = first;
  first = &slot;
  ++size_;
}

void StreamIndex::erase(StreamSlot& slot) noexcept {
  StreamSlot** link = &bucket(slot.id_);
  while (*link != nullptr && *link != &slot) {
    link = &(*link)->next_in_bucket_;
  }
  if (*link != nullptr) {
    *link = slot.next_in_bucket_;
    slot.next_in_bucket_ = nullptr;
    --size_;
  }
}

std::vector<uint32_t> StreamIndex::ids() const {
  std::vector<uint32_t> ids;
  ids.reserve(size_);
  for (const StreamSlot* at : buckets_) {
    for (; at != nullptr; at = at->next_in_bucket_) {
      ids.push_back(at->id_);
    }
  }
  return ids;
}

void StreamIndex::grow() {
  std::vector<StreamSlot*> before(buckets_.size() * 2, nullptr);
  before.swap(buckets_);
  size_ = 0;
  for (StreamSlot* at : before) {
    while (at != nullptr) {
      insert(*std::exchange(at, at->next_in_bucket_));
    }
  }
}

}  // namespace hangu::codec::http2
