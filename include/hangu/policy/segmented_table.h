// SegmentedTable: a hash table whose copies share all segments but those that changed: a copy of
// 100,000 entries costs a few thousand pointers, a change one segment. Keys are the caller's: it
// brings the hash and says which value is meant. Copied and changed on one thread at a time (the
// control thread), looked up on any.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace hangu::policy {

template <class Value>
class SegmentedTable {
 public:
  size_t size() const { return size_; }

  bool empty() const { return size_ == 0; }

  /// nullptr: none. `same(value)`: whether the value is of the key.
  template <class Same>
  const Value* find(uint64_t hash, Same same) const noexcept {
    if (segments_.empty()) {
      return nullptr;
    }
    const Segment& segment = segments_[segment_of(hash)];
    const size_t at = segment.find(hash, same);
    return segment.slots[at].used ? &segment.slots[at].value : nullptr;
  }

  /// The value of the key, to be changed; a new one when there is none. Until the next change.
  template <class Same>
  Value& at(uint64_t hash, Same same) {
    if (find(hash, same) == nullptr) {
      if (size_ >= segments_.size() * kSegmentEntries) {
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
    const Segment& old = segments_[segment_of(hash)];
    Segment segment(old.mask + 1);
    old.for_each([&](const Slot& slot) {
      if (slot.hash != hash || !same(slot.value)) {
        segment.insert(slot.hash) = slot.value;
      }
    });
    segments_[segment_of(hash)] = std::move(segment);
    --size_;
  }

 private:
  static constexpr size_t kSegmentEntries = 32;  // on average, before there are twice as many
  static constexpr size_t kSlotsMin = 4;

  struct Slot {
    uint64_t hash = 0;
    bool used = false;
    Value value{};
  };

  struct Segment {
    explicit Segment(size_t capacity)
        : slots(std::make_shared<Slot[]>(capacity)),
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
      for (size_t at = 0; at <= mask; ++at) {
        if (slots[at].used) {
          visit(slots[at]);
        }
      }
    }

    /// A new value.
    Value& insert(uint64_t hash) {
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

    std::shared_ptr<Slot[]> slots;  // a power of two, never full
    size_t mask;
    size_t used = 0;
  };

  /// By the upper bits; the lower ones choose the slot.
  size_t segment_of(uint64_t hash) const noexcept {
    return segments_.size() == 1 ? 0 : hash >> shift_;
  }

  Segment& own(size_t at) {
    Segment& segment = segments_[at];
    if (segment.slots.use_count() > 1) {
      Segment copy(segment.mask + 1);
      segment.for_each([&](const Slot& slot) { copy.insert(slot.hash) = slot.value; });
      segment = std::move(copy);
    }
    return segment;
  }

  void grow() {
    const std::vector<Segment> old = std::move(segments_);
    const size_t count = old.empty() ? 1 : old.size() * 2;
    shift_ = 64 - std::countr_zero(count);
    segments_.clear();
    for (size_t i = 0; i < count; ++i) {
      segments_.emplace_back(kSlotsMin);
    }
    for (const Segment& segment : old) {
      segment.for_each([&](const Slot& slot) {
        segments_[segment_of(slot.hash)].insert(slot.hash) = slot.value;
      });
    }
  }

  std::vector<Segment> segments_;  // none, or a power of two
  int shift_ = 64;
  size_t size_ = 0;
};

}  // namespace hangu::policy
