#include "hangu/codec/http1/head_scanner.h"

#include <algorithm>

#include "hangu/http/text.h"

#include "codec/byte_scan.h"

namespace hangu::codec::http1 {
namespace {

constexpr size_t kCrlfBytes = 2;

}  // namespace

HeadScanner::HeadScanner(Kind kind, const Limits& limits)
    : limits_(limits),
      kind_(kind) {
  reset();
}

void HeadScanner::reset() {
  started_ = skipped_ = in_fields_ = false;
  fields_ = 0;
  scanned_ = head_begin_ = 0;
  begin_line(0);
}

/// Every line, and all field lines together, may only reach so far into the buffer.
void HeadScanner::begin_line(size_t begin) {
  line_begin_ = begin;
  if (in_fields_) {
    reach_ = kCrlfBytes +
             std::min(begin + limits_.header_line_bytes, fields_begin_ + limits_.headers_bytes);
  } else {
    reach_ = kCrlfBytes + begin + limits_.request_line_bytes;
  }
}

Result<HeadScanner::ScanResult> HeadScanner::scan(std::string_view buffer) {
  const char* const data = buffer.data();
  const char* const end = data + buffer.size();
  while (true) {
    if (!started_) {
      if (head_begin_ == buffer.size()) {
        break;
      }
      if (!may_begin(data[head_begin_])) {
        return fail_start("the first byte does not begin an HTTP message");
      }
      started_ = true;
    }
    const char* found = find_byte(data + scanned_, end, IsByte<'\n'>{});
    scanned_ = static_cast<size_t>(found - data);
    if (found == end) {
      break;
    }
    const size_t line_feed = scanned_++;
    if (scanned_ > reach_) {
      return fail_too_long();
    }
    if (line_feed == line_begin_ || data[line_feed - 1] != '\r') {
      return in_fields_ ? fail_with(Errc::kBadHeader, "bare line feed in a header")
                        : fail_start("bare line feed in the first line");
    }
    const bool empty = line_feed == line_begin_ + 1;
    if (empty && in_fields_) {
      return ScanResult{.status = Status::kComplete,
                        .head_begin = head_begin_,
                        .head_bytes = scanned_ - head_begin_};
    }
    if (const Result<void> taken = take_line(empty); !taken) {
      return fail(taken.error());
    }
  }
  if (buffer.size() > reach_) {
    return fail_too_long();
  }
  return ScanResult{.head_begin = head_begin_};
}

/// A line that does not end the head has ended just before scanned_.
Result<void> HeadScanner::take_line(bool empty) {
  if (in_fields_) {
    if (++fields_ > limits_.headers_count) {
      return fail_with(Errc::kHeadersTooLarge, "too many header fields");
    }
  } else if (!empty) {
    in_fields_ = true;
    fields_begin_ = scanned_;
  } else if (kind_ == Kind::kRequest && !skipped_) {
    skipped_ = true;
    started_ = false;
    head_begin_ = scanned_;
  } else {
    return fail_start("empty line in place of the first line");
  }
  begin_line(scanned_);
  return {};
}

/// Refuses at the first byte what never becomes HTTP, such as a TLS handshake.
bool HeadScanner::may_begin(char c) const {
  if (kind_ == Kind::kResponse) {
    return c == 'H';
  }
  return http::is_token_char(c) || ((c == '\r' || c == '\n') && !skipped_);
}

Failure<Error> HeadScanner::fail_too_long() const {
  if (in_fields_) {
    return fail_with(Errc::kHeadersTooLarge, "header fields beyond the limit");
  }
  return fail_with(kind_ == Kind::kRequest ? Errc::kUriTooLong : Errc::kHeadersTooLarge,
                   "first line beyond the limit");
}

Failure<Error> HeadScanner::fail_start(const char* detail) const {
  return fail_with(kind_ == Kind::kRequest ? Errc::kBadRequestLine : Errc::kBadStatusLine, detail);
}

Failure<Error> HeadScanner::fail_with(Errc code, const char* detail) const {
  return fail(kind_ == Kind::kRequest ? downstream_error(code, detail)
                                      : upstream_error(code, detail));
}

}  // namespace hangu::codec::http1
