// KeyCosts: what was taken of keys since somebody was last told, summed up by key, bounded. It
// grows to what one interval brings and allocates nothing after that. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace hangu::policy {

class KeyCosts {
 public:
  struct Entry {
    uint64_t key = 0;
    uint64_t cost = 0;  // 0: an empty place
    uint32_t limit = 0;
  };

  /// False: there are `keys_max` other keys already.
  bool add(uint32_t limit, uint64_t key, uint64_t cost, size_t keys_max);

  bool empty() const { return size_ == 0; }

  size_t size() const { return size_; }

  /// All of them, in no order; then there are none.
  std::vector<Entry> take();

 private:
  Entry& place(uint32_t limit, uint64_t key) noexcept;
  void grow();

  std::vector<Entry> places_;  // a power of two, at least half of them empty
  size_t size_ = 0;
};

}  // namespace hangu::policy
