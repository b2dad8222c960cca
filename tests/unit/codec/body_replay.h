// What becomes of a body however it is cut, as text. Tests only.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "hangu/codec/http1/body_decoder.h"

#include "tests/unit/codec/replay.h"

namespace hangu::codec::http1::test {

struct Body {
  http::BodyFraming framing = http::BodyFraming::kChunked;
  uint64_t length = 0;
  Limits limits;
  Side side = Side::kDownstream;
};

/// Decodes pieces, and checks what holds for every step.
class BodyRun {
 public:
  explicit BodyRun(const Body& body)
      : side_(body.side) {
    decoder_.begin(body.framing, body.length, memory_.arena(), body.limits, body.side);
  }

  /// False after an error or once something is behind the body.
  bool feed(std::string_view cut) {
    const Piece piece(cut);
    for (std::string_view rest = piece.view(); !rest.empty();) {
      const auto step = decoder_.next(rest);
      if (!step) {
        error_ = describe(step.error(), side_);
        return false;
      }
      EXPECT_LE(step->consumed, rest.size());
      if (step->kind == BodyDecoder::Step::Kind::kNeedMore) {
        EXPECT_EQ(step->consumed, rest.size());
        EXPECT_FALSE(decoder_.finished());
      } else if (step->kind == BodyDecoder::Step::Kind::kEnd) {
        EXPECT_TRUE(decoder_.finished());
      } else {
        EXPECT_FALSE(step->data.empty());
        EXPECT_TRUE(step->data.data() >= rest.data() &&
                    step->data.end() == rest.substr(0, step->consumed).end());
        data_.append(step->data);
      }
      consumed_ += step->consumed;
      rest.remove_prefix(step->consumed);
      if (step->kind == BodyDecoder::Step::Kind::kEnd) {
        return rest.empty();
      }
    }
    return true;
  }

  /// "[data] end | Trailer: x +behind", "[data] more" or "[data] bad_chunk (why)"
  std::string outcome(std::string_view input) const {
    std::string text = "[" + data_ + "] ";
    if (!error_.empty()) {
      return text + error_;
    }
    if (!decoder_.finished()) {
      return text + "more";
    }
    EXPECT_EQ(decoder_.remaining(), 0U);
    text += "end";
    if (decoder_.trailers() != nullptr) {
      text += describe(*decoder_.trailers());
    }
    return text.append(" +").append(input.substr(consumed_));
  }

  BodyDecoder& decoder() { return decoder_; }

 private:
  Memory memory_;
  BodyDecoder decoder_;
  Side side_;
  std::string data_;
  std::string error_;
  size_t consumed_ = 0;
};

/// The outcome, however the input is cut.
inline std::string decode(std::string_view input, const Body& body = {}) {
  return replay(input, [&](const Cuts& cuts) {
    BodyRun run(body);
    for (const std::string_view cut : cuts) {
      if (!run.feed(cut)) {
        break;
      }
    }
    return run.outcome(input);
  });
}

}  // namespace hangu::codec::http1::test
