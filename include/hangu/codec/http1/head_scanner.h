// HeadScanner: finds the end of a message head in a buffer that grows from call to call, looking at
// each byte once. Rejects what makes a head unreadable as early as it is visible: bare line feeds,
// lines and heads beyond the limits. What the lines mean is the parser's business. One connection,
// one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "hangu/base/result.h"
#include "hangu/codec/http1/limits.h"

namespace hangu::codec::http1 {

class HeadScanner {
 public:
  enum class Kind : uint8_t { kRequest, kResponse };
  enum class Status : uint8_t { kNeedMore, kComplete };

  HeadScanner(Kind kind, const Limits& limits);

  struct ScanResult {
    Status status = Status::kNeedMore;
    size_t head_begin = 0;  // one empty line before a request is skipped (RFC 9112 §2.2)
    size_t head_bytes = 0;  // from there through the empty line; only when complete
  };

  /// `buffer`: everything received so far, from the same first byte in every call until reset(),
  /// wherever it lies in memory. After an error or kComplete only reset() may follow.
  Result<ScanResult> scan(std::string_view buffer);

  void reset();

 private:
  void begin_line(size_t begin);
  Result<void> take_line(bool empty);
  bool may_begin(char c) const;
  Failure<Error> fail_too_long() const;
  Failure<Error> fail_start(const char* detail) const;
  Failure<Error> fail_with(Errc code, const char* detail) const;

  Limits limits_;
  Kind kind_;
  bool started_ = false;    // the first byte of the head was looked at
  bool skipped_ = false;    // an empty line before it
  bool in_fields_ = false;  // behind the first line
  uint32_t fields_ = 0;
  // Offsets in the buffer.
  size_t scanned_ = 0;
  size_t head_begin_ = 0;
  size_t line_begin_ = 0;
  size_t fields_begin_ = 0;
  size_t reach_ = 0;  // the current line must end before this
};

}  // namespace hangu::codec::http1
