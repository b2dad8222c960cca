#include "hangu/codec/http1/body_decoder.h"

#include <algorithm>
#include <cstring>

#include "hangu/base/assert.h"
#include "hangu/http/text.h"
#include "hangu/http/trailers.h"

#include "codec/http1/field_parser.h"

namespace hangu::codec::http1 {
namespace {

constexpr unsigned kSizeDigitsMax = 15;             // below 2^60: no sum of sizes overflows
constexpr uint64_t kExtensionBytesMax = 16 * 1024;  // of all chunks of a body
constexpr size_t kTrailerFirstCapacity = 512;

constexpr int hex_value(char c) {
  if (c >= '0' && c <= '9') {
    return c - '0';
  }
  const char lower = http::to_lower(c);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

constexpr bool is_blank(char c) {
  return c == ' ' || c == '\t';
}

}  // namespace

void BodyDecoder::begin(http::BodyFraming framing, uint64_t length, buffer::Arena& arena,
                        const Limits& limits, Side side) {
  side_ = side;
  limits_ = limits;
  arena_ = &arena;
  has_trailers_ = token_seen_ = false;
  digits_ = 0;
  line_bytes_ = 0;
  left_ = extension_bytes_ = 0;
  trailer_ = nullptr;
  trailer_size_ = trailer_capacity_ = trailer_line_ = 0;
  switch (framing) {
    case http::BodyFraming::kNone: state_ = State::kDone; break;
    case http::BodyFraming::kLength:
      left_ = length;
      state_ = length == 0 ? State::kDone : State::kLength;
      break;
    case http::BodyFraming::kChunked: state_ = State::kSize; break;
    case http::BodyFraming::kUntilClose: state_ = State::kUntilClose; break;
  }
}

uint64_t BodyDecoder::remaining() const {
  switch (state_) {
    case State::kDone: return 0;
    case State::kLength: return left_;
    default: return UINT64_MAX;
  }
}

void BodyDecoder::skip(uint64_t bytes) {
  HANGU_ASSERT(state_ == State::kLength && bytes <= left_);
  left_ -= bytes;
  if (left_ == 0) {
    state_ = State::kDone;
  }
}

Result<void> BodyDecoder::on_eof() {
  if (state_ == State::kUntilClose) {
    state_ = State::kDone;
  }
  if (state_ != State::kDone) {
    state_ = State::kFailed;
    return fail(Error{Errc::kUnexpectedEof, side_, Retry::kNever, 0, "body ended too early"});
  }
  return {};
}

Failure<Error> BodyDecoder::fail_with(Errc code, const char* detail) {
  state_ = State::kFailed;
  return fail(Error{code, side_, Retry::kNever, 0, detail});
}

Result<BodyDecoder::Step> BodyDecoder::next(std::string_view input) {
  switch (state_) {
    case State::kDone: return Step{.kind = Step::Kind::kEnd, .data = {}, .consumed = 0};
    case State::kUntilClose:
      if (input.empty()) {
        return Step{};
      }
      return Step{.kind = Step::Kind::kData, .data = input, .consumed = input.size()};
    case State::kLength: {
      const Step step = take_data(input, 0);
      if (left_ == 0) {
        state_ = State::kDone;
      }
      return step;
    }
    case State::kFailed: return fail_with(Errc::kInternal, "body read on after an error");
    default: return next_chunked(input);
  }
}

/// Data up to the end of the body or chunk, from `before` in the input.
BodyDecoder::Step BodyDecoder::take_data(std::string_view input, size_t before) {
  const std::string_view data = input.substr(before, std::min<uint64_t>(left_, input.size()));
  left_ -= data.size();
  if (data.empty()) {
    return Step{.kind = Step::Kind::kNeedMore, .data = {}, .consumed = before};
  }
  return Step{.kind = Step::Kind::kData, .data = data, .consumed = before + data.size()};
}

Result<BodyDecoder::Step> BodyDecoder::next_chunked(std::string_view input) {
  for (size_t at = 0; at < input.size();) {
    if (state_ == State::kData) {
      const Step step = take_data(input, at);
      if (left_ == 0) {
        state_ = State::kDataCr;
      }
      return step;
    }
    if (state_ == State::kTrailer) {
      const Result<bool> ended = take_trailer(input, at);
      if (!ended) {
        return fail(ended.error());
      }
      if (*ended) {
        return Step{.kind = Step::Kind::kEnd, .data = {}, .consumed = at};
      }
      continue;
    }
    if (const char* problem = on_line_byte(input[at])) {
      return fail_with(Errc::kBadChunk, problem);
    }
    ++at;
  }
  return Step{.kind = Step::Kind::kNeedMore, .data = {}, .consumed = input.size()};
}

/// A byte of the framing around data. Returns what is wrong, nullptr if nothing is.
const char* BodyDecoder::on_line_byte(char c) {
  switch (state_) {
    case State::kDataCr:
      if (c != '\r') {
        return "chunk is longer than its size";
      }
      state_ = State::kDataLf;
      return nullptr;
    case State::kDataLf:
      if (c != '\n') {
        return "bare carriage return behind a chunk";
      }
      state_ = State::kSize;
      return nullptr;
    case State::kSizeLf:
      return c == '\n' ? end_chunk_line() : "bare carriage return in a chunk line";
    default: break;
  }
  if (++line_bytes_ > limits_.chunk_line_bytes && c != '\r') {
    return "chunk line too long";
  }
  if (state_ == State::kSize || state_ == State::kSizeSpace) {
    return on_size_byte(c);
  }
  if (++extension_bytes_ > kExtensionBytesMax) {
    return "too many bytes of chunk extensions";
  }
  return on_extension_byte(c);
}

const char* BodyDecoder::on_size_byte(char c) {
  const int value = hex_value(c);
  if (state_ == State::kSize && value >= 0) {
    if (digits_ == kSizeDigitsMax) {
      return "chunk size has too many digits";
    }
    ++digits_;
    left_ = left_ * 16 + static_cast<uint64_t>(value);
    return nullptr;
  }
  if (digits_ == 0) {
    return "chunk size is not a hexadecimal number";
  }
  if (c == ';') {
    state_ = State::kExtName;
    token_seen_ = false;
    return nullptr;
  }
  if (is_blank(c)) {
    state_ = State::kSizeSpace;
    return nullptr;
  }
  if (c == '\r' && state_ == State::kSize) {
    state_ = State::kSizeLf;
    return nullptr;
  }
  return "chunk size is not a hexadecimal number";
}

/// RFC 9112 §7.1.1: *( BWS ";" BWS name [ BWS "=" BWS value ] )
const char* BodyDecoder::on_extension_byte(char c) {
  switch (state_) {
    case State::kExtName:
      if (http::is_token_char(c)) {
        token_seen_ = true;
        return nullptr;
      }
      if (is_blank(c)) {
        state_ = token_seen_ ? State::kExtAfter : State::kExtName;
        return nullptr;
      }
      return token_seen_ ? extension_separator(c) : "chunk extension without a name";
    case State::kExtAfter: return is_blank(c) ? nullptr : extension_separator(c);
    case State::kExtValue:
      if (http::is_token_char(c)) {
        token_seen_ = true;
        return nullptr;
      }
      if (c == '"' && !token_seen_) {
        state_ = State::kExtQuoted;
        return nullptr;
      }
      if (is_blank(c)) {
        state_ = token_seen_ ? State::kExtEnd : State::kExtValue;
        return nullptr;
      }
      return token_seen_ && c != '=' ? extension_separator(c) : "malformed chunk extension";
    case State::kExtQuoted:
      if (c == '"') {
        state_ = State::kExtEnd;
      } else if (c == '\\') {
        state_ = State::kExtEscape;
      } else if (!http::is_field_value({&c, 1})) {
        return "control byte in a chunk extension";
      }
      return nullptr;
    case State::kExtEscape:
      state_ = State::kExtQuoted;
      return http::is_field_value({&c, 1}) ? nullptr : "control byte in a chunk extension";
    default:  // kExtEnd
      if (is_blank(c)) {
        return nullptr;
      }
      return c != '=' ? extension_separator(c) : "malformed chunk extension";
  }
}

const char* BodyDecoder::extension_separator(char c) {
  token_seen_ = false;
  switch (c) {
    case ';': state_ = State::kExtName; return nullptr;
    case '=': state_ = State::kExtValue; return nullptr;
    case '\r': state_ = State::kSizeLf; return nullptr;
    default: return "malformed chunk extension";
  }
}

const char* BodyDecoder::end_chunk_line() {
  state_ = left_ == 0 ? State::kTrailer : State::kData;
  digits_ = 0;
  line_bytes_ = 0;
  return nullptr;
}

/// Gathers the trailer section; true at its end. Advances `position` behind what it took.
Result<bool> BodyDecoder::take_trailer(std::string_view input, size_t& position) {
  while (position < input.size()) {
    const size_t feed = input.find('\n', position);
    const size_t end = feed == std::string_view::npos ? input.size() : feed + 1;
    const std::string_view piece = input.substr(position, end - position);
    if (trailer_size_ + piece.size() > size_t{limits_.trailer_bytes} + 2) {
      return fail_with(Errc::kHeadersTooLarge, "trailer section too large");
    }
    append_trailer(piece);
    position = end;
    if (feed == std::string_view::npos) {
      return false;
    }
    const std::string_view line(trailer_ + trailer_line_, trailer_size_ - trailer_line_);
    if (line.size() < 2 || line[line.size() - 2] != '\r') {
      return fail_with(Errc::kBadChunk, "bare line feed in the trailer section");
    }
    if (line.size() == 2) {
      if (const auto parsed = parse_trailers(); !parsed) {
        return fail(parsed.error());
      }
      state_ = State::kDone;
      return true;
    }
    trailer_line_ = trailer_size_;
  }
  return false;
}

void BodyDecoder::append_trailer(std::string_view piece) {
  if (trailer_size_ + piece.size() > trailer_capacity_) {
    const size_t capacity = std::max(
        {kTrailerFirstCapacity, trailer_size_ + piece.size(), size_t{trailer_capacity_} * 2});
    char* grown = arena_->allocate(capacity, 1);
    if (trailer_size_ != 0) {
      std::memcpy(grown, trailer_, trailer_size_);
    }
    trailer_ = grown;
    trailer_capacity_ = static_cast<uint32_t>(capacity);
  }
  std::memcpy(trailer_ + trailer_size_, piece.data(), piece.size());
  trailer_size_ += static_cast<uint32_t>(piece.size());
}

Result<void> BodyDecoder::parse_trailers() {
  const std::string_view lines(trailer_, trailer_line_);
  if (lines.empty()) {
    return {};
  }
  trailers_.reset(*arena_);
  ControlFields none;
  const FieldRules rules{.section = FieldRules::Section::kTrailer,
                         .allow_underscore = limits_.allow_underscore,
                         .count_max = limits_.headers_count};
  if (const Problem problem = parse_fields(lines, rules, trailers_, none)) {
    return fail_with(problem.code, problem.detail);
  }
  trailers_.remove_any(http::kNotInTrailers);
  has_trailers_ = !trailers_.empty();
  return {};
}

}  // namespace hangu::codec::http1
