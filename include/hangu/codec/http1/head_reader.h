// HeadReader: brings a message head that arrives in any number of pieces into one contiguous,
// writable range of an arena, for the parser to work on in place. The common case, a head within
// one piece, is one scan and one small copy. Sans-I/O; owned by a connection, one thread.
#pragma once

#include <cstddef>
#include <string_view>

#include "hangu/base/result.h"
#include "hangu/buffer/arena.h"
#include "hangu/codec/http1/head_scanner.h"

namespace hangu::codec::http1 {

class HeadReader {
 public:
  HeadReader(HeadScanner::Kind kind, const Limits& limits)
      : scanner_(kind, limits) {}

  struct Step {
    bool complete = false;
    std::string_view head;  // in the arena, writable; only when complete
    size_t consumed = 0;    // bytes of the input that belong to the head
  };

  /// Takes the next piece. Until a head is complete every piece is consumed whole.
  Result<Step> read(std::string_view input, buffer::Arena& arena);

  /// Whether bytes of an unfinished head are held (in the arena given to `read`).
  bool started() const { return size_ != 0; }

  /// Forgets everything; needed before the next head and before the arena goes away.
  void reset();

 private:
  void append(std::string_view input, buffer::Arena& arena);

  HeadScanner scanner_;
  char* data_ = nullptr;
  uint32_t size_ = 0;
  uint32_t capacity_ = 0;
};

}  // namespace hangu::codec::http1
