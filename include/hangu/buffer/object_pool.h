// ObjectPool<T>: objects that come and go with every request, without the allocator: storage of
// ended objects is kept for the next ones, most recently used first (it is still in the cache). The
// pool must outlive its objects. One thread.
#pragma once

#include <cstddef>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>
#include <vector>

#include "hangu/base/assert.h"

namespace hangu::buffer {

template <class T>
class ObjectPool {
 public:
  struct Deleter {
    ObjectPool* pool = nullptr;

    void operator()(T* object) const noexcept { pool->destroy(object); }
  };

  using Ptr = std::unique_ptr<T, Deleter>;

  ObjectPool() = default;

  ~ObjectPool() { HANGU_ASSERT(in_use_ == 0); }

  ObjectPool(const ObjectPool&) = delete;
  ObjectPool& operator=(const ObjectPool&) = delete;

  template <class... Args>
  Ptr make(Args&&... args) {
    if (free_ == nullptr) {
      grow();
    }
    Slot* slot = free_;
    free_ = slot->next;
    ++in_use_;
    return Ptr(::new (static_cast<void*>(slot)) T(std::forward<Args>(args)...), Deleter{this});
  }

  /// For objects released from their Ptr.
  void destroy(T* object) noexcept {
    object->~T();
    auto* slot = reinterpret_cast<Slot*>(object);
    slot->next = free_;
    free_ = slot;
    --in_use_;
  }

  size_t in_use() const { return in_use_; }

 private:
  static constexpr size_t kSlabObjects = 32;

  union Slot {
    Slot* next;
    alignas(T) std::byte storage[sizeof(T)];
  };

  void grow() {
    slabs_.push_back(std::make_unique<Slot[]>(kSlabObjects));
    for (size_t i = kSlabObjects; i > 0; --i) {
      Slot& slot = slabs_.back()[i - 1];
      slot.next = free_;
      free_ = &slot;
    }
  }

  std::vector<std::unique_ptr<Slot[]>> slabs_;
  Slot* free_ = nullptr;
  size_t in_use_ = 0;
};

}  // namespace hangu::buffer
