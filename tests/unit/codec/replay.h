// Feeds one input to a part of the codec cut in every way that a network may cut it: whole, in
// pieces of several sizes, in two at every place. The outcome, as text, must be the same each time.
// Every piece is in memory of exactly its size that is gone afterwards, for AddressSanitizer to
// watch. Tests only.
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "hangu/buffer/arena.h"
#include "hangu/buffer/block.h"
#include "hangu/codec/http1/head_reader.h"
#include "hangu/http/message.h"

namespace hangu::codec::http1::test {

/// An arena on pools that all tests share.
class Memory {
 public:
  buffer::Arena& arena() { return arena_; }

 private:
  static buffer::BlockPool& small() {
    static buffer::BlockPool pool{{.block_bytes = 2048, .blocks_max = 256}};
    return pool;
  }

  static buffer::BlockPool& large() {
    static buffer::BlockPool pool{{.block_bytes = 64 * 1024, .blocks_max = 16}};
    return pool;
  }

  buffer::Arena arena_{small(), large()};
};

/// A copy on the heap, without spare bytes.
class Piece {
 public:
  explicit Piece(std::string_view bytes)
      : bytes_(new char[bytes.size()]),
        size_(bytes.size()) {
    std::copy(bytes.begin(), bytes.end(), bytes_.get());
  }

  std::string_view view() const { return {bytes_.get(), size_}; }

 private:
  std::unique_ptr<char[]> bytes_;
  size_t size_;
};

using Cuts = std::vector<std::string_view>;

inline Cuts cut_evenly(std::string_view input, size_t piece_bytes) {
  Cuts cuts;
  for (size_t at = 0; at < input.size(); at += piece_bytes) {
    cuts.push_back(input.substr(at, piece_bytes));
  }
  return cuts;
}

/// Long inputs are not cut everywhere, but at both ends and next to round sizes.
inline bool worth_cutting(size_t at, size_t size) {
  constexpr size_t kShort = 1500;
  constexpr size_t kEnd = 8;
  constexpr size_t kRound = 4096;
  return size <= kShort || at <= kEnd || size - at <= kEnd || (at + 1) % kRound <= 2;
}

/// `run` turns pieces into a text; returns the text for the whole input.
template <class Run>
std::string replay(std::string_view input, Run run) {
  const std::string whole = run(Cuts{input});
  for (const size_t bytes : {1, 2, 3, 5, 16, 61, 1000, 4096}) {
    if (bytes < input.size()) {
      EXPECT_EQ(run(cut_evenly(input, bytes)), whole) << "in pieces of " << bytes;
    }
  }
  for (size_t at = 1; at < input.size(); ++at) {
    if (worth_cutting(at, input.size())) {
      EXPECT_EQ(run(Cuts{input.substr(0, at), input.substr(at)}), whole) << "cut at " << at;
    }
  }
  return whole;
}

/// "bad_header (why)"
inline std::string describe(const Error& error, Side side) {
  EXPECT_EQ(error.side, side);
  EXPECT_EQ(error.retry, Retry::kNever);
  return std::string(to_string(error.code)) + " (" + error.detail + ")";
}

inline std::string describe(http::BodyFraming framing, uint64_t length) {
  switch (framing) {
    case http::BodyFraming::kNone: return "none";
    case http::BodyFraming::kLength: return "length " + std::to_string(length);
    case http::BodyFraming::kChunked: return "chunked";
    case http::BodyFraming::kUntilClose: return "until-close";
  }
  return "?";
}

/// " | name: value" for each.
inline std::string describe(const http::HeaderBlock& headers) {
  std::string text;
  for (const http::Header& header : headers) {
    text.append(" | ").append(header.name()).append(": ").append(header.value());
  }
  return text;
}

/// Brings a head together and gives it to `parse(head)`, which returns a text. Adds " +" and what
/// is behind the head.
template <class Parse>
std::string read_head(const Cuts& cuts, Side side, HeadReader& reader, buffer::Arena& arena,
                      Parse parse) {
  std::string text;
  for (const std::string_view cut : cuts) {
    if (!text.empty()) {
      text.append(cut);
      continue;
    }
    const Piece piece(cut);
    const auto step = reader.read(piece.view(), arena);
    if (!step) {
      return describe(step.error(), side);
    }
    EXPECT_LE(step->consumed, cut.size());
    if (step->complete) {
      text = parse(step->head) + " +";
      text.append(cut.substr(step->consumed));
    } else {
      EXPECT_EQ(step->consumed, cut.size());
      EXPECT_TRUE(reader.started());
    }
  }
  return text.empty() ? "need more" : text;
}

}  // namespace hangu::codec::http1::test
