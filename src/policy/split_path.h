// What the RouteTable does with paths: hashes, and the segments of one. Pure.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "hangu/config/path_template.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace hangu::policy {

inline uint64_t hash_text(std::string_view text, uint64_t seed) noexcept {
  return XXH3_64bits_withSeed(text.data(), text.size(), seed);
}

/// In PathTable::prefix_depths.
inline uint64_t depth_bit(size_t depth) noexcept {
  constexpr size_t kLast = 63;
  return uint64_t{1} << std::min(depth, kLast);
}

/// In RouteTable::Shape::literals.
inline uint32_t segment_bit(size_t segment) noexcept {
  return 0x80000000U >> segment;
}

/// The literals of a template as one number; that of a path is the same if it has them there.
inline uint64_t hash_literals(const std::vector<config::PathTemplate::Segment>& segments) noexcept {
  uint64_t hash = 0;
  for (const config::PathTemplate::Segment& segment : segments) {
    if (segment.kind == config::PathTemplate::Kind::kLiteral) {
      hash = hash_text(segment.text, hash);
    }
  }
  return hash;
}

/// The segments of a path, as far as templates can reach.
class SegmentsOfPath {
 public:
  explicit SegmentsOfPath(std::string_view path) noexcept {
    for (size_t begin = 1; !path.empty() && path.front() == '/' && begin <= path.size();) {
      if (count_ == kMax) {
        more_ = true;
        return;
      }
      const size_t end = std::min(path.find('/', begin), path.size());
      segments_[count_] = path.substr(begin, end - begin);
      empty_ |= begin == end ? segment_bit(count_) : 0;
      ++count_;
      begin = end + 1;
    }
  }

  /// Whether a template with captures where it has no literals takes so many segments, and none
  /// that is empty.
  bool fits(uint32_t literals, size_t segments, bool rest) const noexcept {
    if (rest ? count_ < segments : count_ != segments || more_) {
      return false;
    }
    uint32_t captures = ~literals;
    captures &= ~uint32_t{0} << (kMax - segments);
    if (rest && (count_ > segments || more_)) {
      captures &= ~segment_bit(segments - 1);  // what is left is not empty
    }
    return (captures & empty_) == 0;
  }

  uint64_t hash(uint32_t literals) const noexcept {
    uint64_t hash = 0;
    for (size_t i = 0; literals != 0; ++i, literals <<= 1) {
      if ((literals & segment_bit(0)) != 0) {
        hash = hash_text(segments_[i], hash);
      }
    }
    return hash;
  }

  /// Whether they are those of a template that fits: its text, and where it has literals. The text
  /// is in a cache line of its route, what was parsed of it is not.
  bool has_literals(std::string_view text, uint32_t literals) const noexcept {
    for (size_t i = 0; literals != 0; ++i, literals <<= 1) {
      const size_t end = std::min(text.find('/', 1), text.size());
      if ((literals & segment_bit(0)) != 0 && text.substr(1, end - 1) != segments_[i]) {
        return false;
      }
      text.remove_prefix(end);
    }
    return true;
  }

 private:
  static constexpr size_t kMax = config::PathTemplate::kSegmentsMax;

  std::array<std::string_view, kMax> segments_;
  size_t count_ = 0;
  uint32_t empty_ = 0;  // bits of segments
  bool more_ = false;
};

static_assert(config::PathTemplate::kSegmentsMax == 32, "a segment is a bit of 32");

}  // namespace hangu::policy
