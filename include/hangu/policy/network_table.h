// NetworkTable: networks that do not overlap, and whether an address is in one of them. The last
// one that begins at or before the address is looked at, no other; a line of the cache has where it
// begins and how many bits count. Built once, then immutable, any thread.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "hangu/policy/sorted_index.h"

namespace hangu::policy {

template <class Address>
class NetworkTable {
 public:
  NetworkTable() = default;

  /// In order: where each begins, and its prefix length. As many of both.
  NetworkTable(const std::vector<Address>& begins, const std::vector<uint8_t>& bits) {
    std::vector<Address> firsts;
    lines_.resize((begins.size() + kLine - 1) / kLine);
    firsts.reserve(lines_.size());
    for (size_t line = 0; line < lines_.size(); ++line) {
      firsts.push_back(begins[line * kLine]);
      for (size_t i = 0; i < kLine; ++i) {
        const size_t at = std::min(line * kLine + i, begins.size() - 1);  // the last one fills up
        lines_[line].begins[i] = begins[at];
        lines_[line].bits[i] = bits[at];
      }
    }
    firsts_ = SortedIndex<Address>(std::move(firsts));
  }

  bool contains(Address address) const noexcept {
    const size_t at = firsts_.last_up_to(address);
    if (at == SortedIndex<Address>::kNone) {
      return false;
    }
    const Line& line = lines_[at];
    Address count = 0;  // the first of the line is never above
    for (size_t i = 0; i < kLine; ++i) {
      count += line.begins[i] <= address ? 1U : 0U;
    }
    const auto place = static_cast<size_t>(count - 1);
    return same_bits(address, line.begins[place], line.bits[place]);
  }

  size_t bytes() const { return firsts_.bytes() + lines_.capacity() * sizeof(Line); }

  static bool same_bits(Address a, Address b, unsigned bits) noexcept {
    constexpr unsigned kWidth = 8 * sizeof(Address);
    return bits == 0 || (a ^ b) >> (kWidth - bits) == 0;
  }

 private:
  static constexpr size_t kLine = 64 / (sizeof(Address) + 1);

  struct alignas(64) Line {
    std::array<Address, kLine> begins;
    std::array<uint8_t, kLine> bits;
  };

  static_assert(sizeof(Line) == 64);

  SortedIndex<Address> firsts_;  // of each line
  std::vector<Line> lines_;
};

}  // namespace hangu::policy
