// BodyDecoder: takes the framing off a body (RFC 9112 §6, §7.1). In place: data are views of the
// input, nothing is copied but trailers. Chunk extensions are checked and dropped. One message at a
// time, one thread; knows no connection.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "hangu/base/result.h"
#include "hangu/buffer/arena.h"
#include "hangu/codec/http1/limits.h"
#include "hangu/http/header_block.h"
#include "hangu/http/message.h"

namespace hangu::codec::http1 {

class BodyDecoder {
 public:
  /// Starts a body. Trailers go into `arena`; errors carry `side`.
  void begin(http::BodyFraming framing, uint64_t length, buffer::Arena& arena,
             const Limits& limits = {}, Side side = Side::kDownstream);

  struct Step {
    enum class Kind : uint8_t {
      kData,      // `data` is a piece of the body; it may be the last: see finished()
      kEnd,       // the body has ended, without data; `trailers()` may be there
      kNeedMore,  // the whole input is consumed
    };

    Kind kind = Kind::kNeedMore;
    std::string_view data;  // within the input
    size_t consumed = 0;
  };

  /// Takes the next piece off `input`; to be called again with the rest (`consumed` bytes further)
  /// until kNeedMore or the end. Bytes behind the end are not consumed. After an error only begin()
  /// may follow.
  Result<Step> next(std::string_view input);

  /// Whether the end was reached; a kData step may reach it.
  bool finished() const { return state_ == State::kDone; }

  /// The peer ended its direction: an error unless that ends the body or it had ended.
  Result<void> on_eof();

  /// Bytes of data still to come; UINT64_MAX when that is not known.
  uint64_t remaining() const;

  /// So many bytes of data, at most remaining(), went another way. Not where that is not known.
  void skip(uint64_t bytes);

  /// The trailer fields after the end of a chunked body; nullptr when there are none. They live in
  /// the arena. Fields that a trailer may not carry have been left out (RFC 9110 §6.5.1).
  const http::HeaderBlock* trailers() const { return has_trailers_ ? &trailers_ : nullptr; }

 private:
  enum class State : uint8_t {
    kDone,
    kLength,
    kUntilClose,
    kSize,       // the digits of a chunk size
    kSizeSpace,  // white space behind them, which an extension must follow
    kExtName,    // behind ';'
    kExtAfter,   // white space behind a name
    kExtValue,   // behind '='
    kExtQuoted,  // within a quoted value
    kExtEscape,  // behind a backslash in it
    kExtEnd,     // behind a quoted value
    kSizeLf,     // the CR of the line was seen
    kData,
    kDataCr,  // the CRLF behind the data
    kDataLf,
    kTrailer,
    kFailed,
  };

  Step take_data(std::string_view input, size_t before);
  Result<Step> next_chunked(std::string_view input);
  const char* on_line_byte(char c);
  const char* on_size_byte(char c);
  const char* on_extension_byte(char c);
  const char* extension_separator(char c);
  const char* end_chunk_line();
  Result<bool> take_trailer(std::string_view input, size_t& position);
  void append_trailer(std::string_view piece);
  Result<void> parse_trailers();
  Failure<Error> fail_with(Errc code, const char* detail);

  State state_ = State::kDone;
  Side side_ = Side::kDownstream;
  bool token_seen_ = false;  // in the extension's current name or value
  bool has_trailers_ = false;
  uint8_t digits_ = 0;
  uint32_t line_bytes_ = 0;  // of the current chunk line
  uint64_t left_ = 0;        // of the body or chunk; the size while it is read
  uint64_t extension_bytes_ = 0;
  Limits limits_;
  buffer::Arena* arena_ = nullptr;
  // The trailer section as received, in the arena.
  char* trailer_ = nullptr;
  uint32_t trailer_size_ = 0;
  uint32_t trailer_capacity_ = 0;
  uint32_t trailer_line_ = 0;  // where its current line begins
  http::HeaderBlock trailers_;
};

}  // namespace hangu::codec::http1
