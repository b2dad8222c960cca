// LabelledCounters: a few counters told apart by a label that is not known beforehand, such as the
// codes of local replies. Bounded: what finds no room is counted under "other". Written by one
// shard, read by any thread.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <string_view>

#include "hangu/stats/counter.h"

namespace hangu::stats {

class LabelledCounters {
 public:
  static constexpr size_t kLabelsMax = 48;

  /// `label` is static text.
  void add(std::string_view label) noexcept {
    const size_t used = used_.load(std::memory_order_relaxed);
    for (size_t i = 0; i < used; ++i) {
      if (labels_[i] == label) {
        counters_[i].add();
        return;
      }
    }
    if (used == kLabelsMax) {
      other_.add();
      return;
    }
    labels_[used] = label;
    counters_[used].add();
    used_.store(used + 1, std::memory_order_release);
  }

  /// Calls visit(std::string_view label, uint64_t count) for each label met so far.
  template <class Visit>
  void for_each(Visit visit) const {
    const size_t used = used_.load(std::memory_order_acquire);
    for (size_t i = 0; i < used; ++i) {
      visit(labels_[i], counters_[i].value());
    }
    if (const uint64_t rest = other_.value(); rest != 0) {
      visit(std::string_view("other"), rest);
    }
  }

 private:
  std::array<std::string_view, kLabelsMax> labels_;
  std::array<Counter, kLabelsMax> counters_;
  Counter other_;
  std::atomic<size_t> used_{0};
};

}  // namespace hangu::stats
