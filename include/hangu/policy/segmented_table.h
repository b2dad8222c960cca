// SegmentedTable: a hash table whose copies share all segments but those that changed: a copy of
// 100,000 entries costs a few thousand pointers, a change one segment. Keys are the caller's: it
// brings the hash and says which value is meant. Copied and changed on one thread at a time (the
// control thread), looked up on any.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "hangu/base/table_memory.h"

namespace hangu::policy {

template <class Value>
class SegmentedTable {
 public:
  size_t size() const { return size_; }

  bool empty() const { return size_ == 0; }

  /// nullptr: none. `same(value)`: whether the value is of the key.
  template <class Same>
  const Value* find(uint64_t hash, Same same) const noexcept {
    if (size_ == 0) {
      return nullptr;
    }
    const Segment& segment = segment_of(hash);
    if (segment.slots == nullptr) {
      return nullptr;
    }
    const size_t at = segment.find(hash, same);
    return segment.slots[at].used ? &segment.slots[at].value : nullptr;
  }

  /// The value of the key, to be changed; a new one when there is none. Until the next change.
  template <class Same>
  Value& at(uint64_t hash, Same same) {
    if (find(hash, same) == nullptr) {
      if (size_ >= std::max<size_t>(segments_.size(), 1) * kSegmentEntries) {
        grow();
      }
      ++size_;
      return own(segment_of(hash)).insert(hash);
    }
    Segment& segment = own(segment_of(hash));
    return segment.slots[segment.find(hash, same)].value;
  }

  template <class Same>
  void erase(uint64_t hash, Same same) {
    if (find(hash, same) == nullptr) {
      return;
    }
    // Anew without it: what stands behind it may have to move.
    Segment& old = segment_of(hash);
    Segment segment(old.mask + 1);
    old.for_each([&](const Slot& slot) {
      if (slot.hash != hash || !same(slot.value)) {
        segment.insert(slot.hash) = slot.value;
      }
    });
    old = std::move(segment);
    --size_;
  }

 private:
  static constexpr size_t kSegmentEntries = 32;  // on average, before there are twice as many
  static constexpr size_t kSlotsMin = 4;

  /// Never across two cache lines, when it fits one.
  struct alignas(sizeof(Value) <= 16 ? 32 : 64) Slot {
    uint64_t hash = 0;
    bool used = false;
    Value value{};
  };

  struct Segment {
    Segment() = default;

    explicit Segment(size_t capacity)
        : slots(make_table_array<Slot>(capacity)),
          mask(capacity - 1) {}

    /// The place of the key, or a free one.
    template <class Same>
    size_t find(uint64_t hash, Same same) const noexcept {
      size_t at = hash & mask;
      while (slots[at].used && !(slots[at].hash == hash && same(slots[at].value))) {
        at = (at + 1) & mask;
      }
      return at;
    }

    template <class Visit>
    void for_each(Visit visit) const {
      for (size_t at = 0; slots != nullptr && at <= mask; ++at) {
        if (slots[at].used) {
          visit(slots[at]);
        }
      }
    }

    /// A new value.
    Value& insert(uint64_t hash) {
      if (slots == nullptr) {
        *this = Segment(kSlotsMin);
      }
      if ((used + 1) * 4 > (mask + 1) * 3) {
        Segment larger((mask + 1) * 2);
        for_each([&](const Slot& slot) { larger.insert(slot.hash) = slot.value; });
        *this = std::move(larger);
      }
      Slot& slot = slots[find(hash, [](const Value&) { return false; })];
      slot.hash = hash;
      slot.used = true;
      ++used;
      return slot.value;
    }

    std::shared_ptr<Slot[]> slots;  // a power of two, never full; none before the first value
    size_t mask = 0;
    size_t used = 0;
  };

  /// By the upper bits; the lower ones choose the slot.
  const Segment& segment_of(uint64_t hash) const noexcept {
    return segments_.empty() ? only_ : segments_[hash >> shift_];
  }

  Segment& segment_of(uint64_t hash) noexcept {
    return segments_.empty() ? only_ : segments_[hash >> shift_];
  }

  static Segment& own(Segment& segment) {
    if (segment.slots.use_count() > 1) {
      Segment copy(segment.mask + 1);
      segment.for_each([&](const Slot& slot) { copy.insert(slot.hash) = slot.value; });
      segment = std::move(copy);
    }
    return segment;
  }

  void grow() {
    std::vector<Segment> old = std::move(segments_);
    if (old.empty()) {
      old.push_back(std::move(only_));
      only_ = {};
    }
    segments_ = std::vector<Segment>(old.size() * 2);
    shift_ = 64 - std::countr_zero(segments_.size());
    for (const Segment& segment : old) {
      segment.for_each(
          [&](const Slot& slot) { segment_of(slot.hash).insert(slot.hash) = slot.value; });
    }
  }

  size_t size_ = 0;
  Segment only_;                   // of a table so small that it has no others: a miss less
  std::vector<Segment> segments_;  // none, or a power of two, at least two
  int shift_ = 64;
};

}  // namespace hangu::policy
