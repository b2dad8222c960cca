// An arena with its pools, for tests of the message layer.
#pragma once

#include "hangu/buffer/arena.h"
#include "hangu/buffer/block.h"

namespace hangu::http::test {

class Memory {
 public:
  buffer::Arena& arena() { return arena_; }

  /// Whether anything was cut from the arena.
  bool used() const { return small_.in_use() + large_.in_use() != 0; }

 private:
  buffer::BlockPool small_{{.block_bytes = 2048, .blocks_max = 64}};
  buffer::BlockPool large_{{.block_bytes = 64 * 1024, .blocks_max = 8}};
  buffer::Arena arena_{small_, large_};
};

}  // namespace hangu::http::test
