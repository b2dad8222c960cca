// Compressors of all codings: what goes in comes out, at once when it is asked for, in the memory
// that is set aside for it.
#include "hangu/filter/compressor.h"

#include <brotli/decode.h>
#include <malloc.h>
#include <zlib.h>
#include <zstd.h>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "hangu/base/sanitizer.h"

namespace hangu::filter {
namespace {

using config::ContentCoding;
using Until = Compressor::Until;

/// Decodes what is there of a stream, the end of which need not have come.
std::string decoded(ContentCoding coding, std::string_view data) {
  std::string out(8 << 20, '\0');
  if (coding == ContentCoding::kGzip) {
    z_stream state{};
    inflateInit2(&state, 15 + 16);
    state.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(data.data()));
    state.avail_in = static_cast<uInt>(data.size());
    state.next_out = reinterpret_cast<Bytef*>(out.data());
    state.avail_out = static_cast<uInt>(out.size());
    inflate(&state, Z_SYNC_FLUSH);
    out.resize(state.total_out);
    inflateEnd(&state);
  } else if (coding == ContentCoding::kBrotli) {
    BrotliDecoderState* state = BrotliDecoderCreateInstance(nullptr, nullptr, nullptr);
    size_t in_left = data.size();
    const auto* in = reinterpret_cast<const uint8_t*>(data.data());
    size_t out_left = out.size();
    auto* to = reinterpret_cast<uint8_t*>(out.data());
    BrotliDecoderDecompressStream(state, &in_left, &in, &out_left, &to, nullptr);
    out.resize(out.size() - out_left);
    BrotliDecoderDestroyInstance(state);
  } else {
    ZSTD_DCtx* state = ZSTD_createDCtx();
    ZSTD_inBuffer in{data.data(), data.size(), 0};
    ZSTD_outBuffer to{out.data(), out.size(), 0};
    while (in.pos < in.size && ZSTD_isError(ZSTD_decompressStream(state, &to, &in)) == 0) {
    }
    out.resize(to.pos);
    ZSTD_freeDCtx(state);
  }
  return out;
}

std::string json_text(size_t bytes) {
  std::string text;
  for (uint32_t i = 1; text.size() < bytes; ++i) {
    text += fmt::format(R"({{"id":{},"name":"user-{}","active":{}}},)", i * 2654435761U % 100'000,
                        i * 40503U % 977, i % 3 == 0);
  }
  text.resize(bytes);
  return text;
}

/// Steps with `room` bytes of output at a time.
std::string compressed(Compressor& compressor, std::string_view input, Until until, size_t room) {
  std::string out;
  std::string piece(room, '\0');
  while (true) {
    const Compressor::Step step = compressor.step(input, piece, until);
    EXPECT_FALSE(step.failed);
    out.append(piece, 0, step.written);
    input.remove_prefix(step.taken);
    if (step.done || step.failed) {
      EXPECT_TRUE(input.empty());
      return out;
    }
  }
}

class CompressorTest : public testing::TestWithParam<ContentCoding> {
 protected:
  Compressors compressors_{64 << 20};
};

TEST_P(CompressorTest, WhatGoesInComesOutAtEveryLevelAndPieceSize) {
  const std::string text = json_text(200'000);
  const uint32_t most = GetParam() == ContentCoding::kGzip ? 9 : 6;
  for (uint32_t level = 1; level <= most; ++level) {
    for (const size_t piece : {size_t{777}, size_t{16'384}, text.size()}) {
      auto compressor = compressors_.take(GetParam(), level);
      std::string out;
      for (size_t at = 0; at < text.size(); at += piece) {
        const bool last = at + piece >= text.size();
        out += compressed(*compressor, std::string_view(text).substr(at, piece),
                          last ? Until::kEnd : Until::kTaken, 1024);
      }
      EXPECT_EQ(decoded(GetParam(), out), text) << level << ' ' << piece;
      EXPECT_LT(out.size(), text.size() / 3);
    }
  }
}

TEST_P(CompressorTest, AFlushLetsAllBeReadSoFar) {
  auto compressor = compressors_.take(GetParam(), 3);
  std::string sent;
  std::string out;
  for (int i = 0; i < 50; ++i) {
    const std::string event = fmt::format("data: event number {}\n\n", i);
    sent += event;
    out += compressed(*compressor, event, Until::kFlushed, 64);
    ASSERT_EQ(decoded(GetParam(), out), sent);
  }
  out += compressed(*compressor, "", Until::kEnd, 64);
  EXPECT_EQ(decoded(GetParam(), out), sent);
}

TEST_P(CompressorTest, EveryByteComesThroughThoughItCannotBeCompressed) {
  std::string noise(300'000, '\0');
  uint32_t state = 7;
  for (char& byte : noise) {
    state = state * 1664525 + 1013904223;
    byte = static_cast<char>(state >> 24);
  }
  auto compressor = compressors_.take(GetParam(), 4);
  EXPECT_EQ(decoded(GetParam(), compressed(*compressor, noise, Until::kEnd, 4096)), noise);
}

TEST_P(CompressorTest, OneThatWasUsedServesAgain) {
  const std::string text = json_text(50'000);
  std::string first;
  for (int i = 0; i < 20; ++i) {
    auto compressor = compressors_.take(GetParam(), 2);
    if (i % 2 == 1) {
      compressed(*compressor, "left in the middle", Until::kTaken, 64);
      continue;  // its client left
    }
    const std::string out = compressed(*compressor, text, Until::kEnd, 4096);
    EXPECT_EQ(decoded(GetParam(), out), text);
  }
  EXPECT_EQ(compressors_.idle(), 1U);
  EXPECT_EQ(compressors_.bytes_in_use(), 0U);
}

TEST_P(CompressorTest, MemoryIsBoundedAndComesBack) {
  const uint64_t each = Compressors::bytes_of(GetParam(), 3);
  Compressors few(3 * each);
  auto one = few.take(GetParam(), 3);
  auto two = few.take(GetParam(), 3);
  auto three = few.take(GetParam(), 3);
  ASSERT_NE(three, nullptr);
  EXPECT_EQ(few.take(GetParam(), 3), nullptr);
  two.reset();
  EXPECT_NE(few.take(GetParam(), 3), nullptr);
}

TEST_P(CompressorTest, TakesNoMoreMemoryThanIsSetAside) {
#if HANGU_ASAN || HANGU_TSAN
  GTEST_SKIP() << "sanitizers bring their own allocator";
#endif
  const std::string text = json_text(1'000'000);
  std::string piece(65'536, '\0');
  const auto used = [] {
    const struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
  };
  const uint32_t most = GetParam() == ContentCoding::kGzip ? 9 : 6;
  for (uint32_t level = 1; level <= most; ++level) {
    Compressors own(64 << 20);
    const size_t before = used();
    auto compressor = own.take(GetParam(), level);
    size_t peak = 0;
    std::string_view rest = text;
    while (!rest.empty()) {
      const std::string_view part = rest.substr(0, 16'384);
      rest.remove_prefix(part.size());
      compressor->step(part, piece, Until::kFlushed);
      peak = std::max(peak, used() - before);
    }
    EXPECT_LE(peak, Compressors::bytes_of(GetParam(), level) + 4096) << "level " << level;
  }
}

INSTANTIATE_TEST_SUITE_P(Codings, CompressorTest,
                         testing::Values(ContentCoding::kGzip, ContentCoding::kBrotli,
                                         ContentCoding::kZstd),
                         [](const auto& instance) {
                           return instance.param == ContentCoding::kGzip     ? "gzip"
                                  : instance.param == ContentCoding::kBrotli ? "brotli"
                                                                             : "zstd";
                         });

}  // namespace
}  // namespace hangu::filter
