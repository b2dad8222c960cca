// What fuzz targets share: memory for one input, and ways to cut an input as a network might.
// Tests only; one thread.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "hangu/buffer/arena.h"
#include "hangu/buffer/block.h"

namespace hangu::fuzz {

/// An arena on pools that all inputs share.
class Memory {
 public:
  buffer::Arena& arena() { return arena_; }

 private:
  static buffer::BlockPool& small() {
    static buffer::BlockPool pool{{.block_bytes = 2048, .blocks_max = 4096}};
    return pool;
  }

  static buffer::BlockPool& large() {
    static buffer::BlockPool pool{{.block_bytes = 64 * 1024, .blocks_max = 256}};
    return pool;
  }

  buffer::Arena arena_{small(), large()};
};

/// A copy on the heap without spare bytes, for AddressSanitizer to watch.
class Piece {
 public:
  explicit Piece(std::string_view bytes)
      : bytes_(std::make_unique<char[]>(bytes.size())),
        size_(bytes.size()) {
    std::copy(bytes.begin(), bytes.end(), bytes_.get());
  }

  std::string_view view() const { return {bytes_.get(), size_}; }

 private:
  std::unique_ptr<char[]> bytes_;
  size_t size_;
};

using Cuts = std::vector<std::string_view>;

/// Pieces of 1 to `piece_max` bytes. Which ones follows from the input alone: a failure repeats.
inline Cuts cut_randomly(std::string_view input, size_t piece_max) {
  uint64_t state = 0x9e3779b97f4a7c15U ^ input.size();
  for (const char c : input) {
    state = (state ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  }
  Cuts cuts;
  while (!input.empty()) {
    state = state * 6364136223846793005U + 1442695040888963407U;
    const size_t size = std::min(input.size(), 1 + static_cast<size_t>(state >> 33) % piece_max);
    cuts.push_back(input.substr(0, size));
    input.remove_prefix(size);
  }
  return cuts;
}

}  // namespace hangu::fuzz
