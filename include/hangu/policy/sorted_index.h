// SortedIndex: numbers in order, and for each number the last that is not above it. A B+-tree
// without pointers: a level has every n-th number of the one below, n as many as fit a cache line.
// Built once, then immutable, any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace hangu::policy {

template <class Number>
class SortedIndex {
 public:
  static constexpr size_t kNone = SIZE_MAX;

  SortedIndex() = default;

  /// `numbers` are in order, none twice.
  explicit SortedIndex(std::vector<Number> numbers) {
    levels_.push_back(std::move(numbers));
    levels_.back().shrink_to_fit();
    while (levels_.back().size() > kLine) {
      std::vector<Number> above;
      for (size_t i = 0; i < levels_.back().size(); i += kLine) {
        above.push_back(levels_.back()[i]);
      }
      levels_.push_back(std::move(above));
    }
  }

  size_t size() const { return levels_.empty() ? 0 : levels_.front().size(); }

  Number operator[](size_t at) const { return levels_.front()[at]; }

  /// The place of the last number that is not above `number`; kNone when all are.
  size_t last_up_to(Number number) const noexcept {
    if (size() == 0 || number < levels_.front().front()) {
      return kNone;
    }
    size_t place = 0;
    for (size_t level = levels_.size(); level-- > 0;) {
      const std::vector<Number>& numbers = levels_[level];
      const size_t begin = place * kLine;
      const size_t end = begin + kLine;
      // The first of the line is never above.
      place =
          begin - 1 +
          (end <= numbers.size() ? count_up_to(&numbers[begin], kLine, number)
                                 : count_up_to(&numbers[begin], numbers.size() - begin, number));
    }
    return place;
  }

  size_t bytes() const {
    size_t sum = 0;
    for (const auto& level : levels_) {
      sum += level.capacity() * sizeof(Number);
    }
    return sum;
  }

 private:
  static constexpr size_t kLine = 64 / sizeof(Number);

  /// Without a branch on the numbers; with a count that is known, in a few instructions.
  static size_t count_up_to(const Number* numbers, size_t count, Number number) noexcept {
    Number sum = 0;
    for (size_t i = 0; i < count; ++i) {
      sum += numbers[i] <= number ? 1U : 0U;
    }
    return static_cast<size_t>(sum);
  }

  std::vector<std::vector<Number>> levels_;  // the numbers, then every kLine-th of the level before
};

}  // namespace hangu::policy
