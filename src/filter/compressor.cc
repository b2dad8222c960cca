#include "hangu/filter/compressor.h"

#include <brotli/encode.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "hangu/base/assert.h"

namespace hangu::filter {
namespace {

using config::ContentCoding;

// A body is seen in pieces that leave at once; what lies further back than this is worth little,
// and its memory is there for every body under way.
constexpr int kBrotliWindowBits = 18;
constexpr int kZstdWindowBits = 17;
constexpr int kZstdTableBits = 16;

constexpr uint64_t kKiB = 1024;

// --- gzip (RFC 1952) --------------------------------------------------------------------------

class GzipCompressor final : public Compressor {
 public:
  explicit GzipCompressor(uint32_t level)
      : Compressor(ContentCoding::kGzip, level) {
    constexpr int kGzipWindowBits = 15 + 16;  // with gzip's header
    constexpr int kMemoryLevel = 8;
    const int result = deflateInit2(&state_, static_cast<int>(level), Z_DEFLATED, kGzipWindowBits,
                                    kMemoryLevel, Z_DEFAULT_STRATEGY);
    HANGU_ASSERT(result == Z_OK);  // the parameters are good: no memory
  }

  ~GzipCompressor() override { deflateEnd(&state_); }

  GzipCompressor(const GzipCompressor&) = delete;
  GzipCompressor& operator=(const GzipCompressor&) = delete;

  Step step(std::string_view input, std::span<char> output, Until until) noexcept override {
    // zlib's interface has no const; it does not write there.
    state_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(input.data()));
    state_.avail_in = static_cast<uInt>(input.size());
    state_.next_out = reinterpret_cast<Bytef*>(output.data());
    state_.avail_out = static_cast<uInt>(output.size());
    const int flush = until == Until::kTaken     ? Z_NO_FLUSH
                      : until == Until::kFlushed ? Z_SYNC_FLUSH
                                                 : Z_FINISH;
    const int result = deflate(&state_, flush);
    return {.taken = input.size() - state_.avail_in,
            .written = output.size() - state_.avail_out,
            .done = until == Until::kEnd ? result == Z_STREAM_END
                                         : state_.avail_in == 0 && state_.avail_out != 0,
            .failed = result == Z_STREAM_ERROR};
  }

  bool restart() noexcept override { return deflateReset(&state_) == Z_OK; }

 private:
  z_stream state_{};
};

// --- Brotli (RFC 7932) ------------------------------------------------------------------------

/// Brotli's encoder cannot be used twice, but its memory can.
class BrotliMemory {
 public:
  BrotliMemory() = default;

  ~BrotliMemory() {
    for (const Piece& piece : idle_) {
      std::free(piece.memory);
    }
  }

  BrotliMemory(const BrotliMemory&) = delete;
  BrotliMemory& operator=(const BrotliMemory&) = delete;

  static void* allocate(void* opaque, size_t bytes) {
    return static_cast<BrotliMemory*>(opaque)->take(bytes);
  }

  static void free(void* opaque, void* memory) {
    if (memory != nullptr) {
      static_cast<BrotliMemory*>(opaque)->give(static_cast<char*>(memory) - kPrefix);
    }
  }

 private:
  struct Piece {
    void* memory = nullptr;  // its size comes first
    size_t bytes = 0;
  };

  static constexpr size_t kPrefix = 16;  // keeps the alignment of malloc
  static constexpr size_t kIdleMax = 16;

  void* take(size_t bytes) noexcept {
    const auto fits = [bytes](const Piece& piece) {
      return piece.bytes >= bytes && piece.bytes <= 2 * bytes;
    };
    void* memory = nullptr;
    if (auto found = std::find_if(idle_.begin(), idle_.end(), fits); found != idle_.end()) {
      memory = found->memory;
      *found = idle_.back();
      idle_.pop_back();
    } else {
      memory = std::malloc(bytes + kPrefix);
      HANGU_ASSERT(memory != nullptr);
      *static_cast<size_t*>(memory) = bytes;
    }
    return static_cast<char*>(memory) + kPrefix;
  }

  void give(void* memory) noexcept {
    if (idle_.size() < kIdleMax) {
      idle_.push_back({memory, *static_cast<size_t*>(memory)});
    } else {
      std::free(memory);
    }
  }

  std::vector<Piece> idle_;
};

class BrotliCompressor final : public Compressor {
 public:
  explicit BrotliCompressor(uint32_t level)
      : Compressor(ContentCoding::kBrotli, level) {
    begin();
  }

  ~BrotliCompressor() override { BrotliEncoderDestroyInstance(state_); }

  BrotliCompressor(const BrotliCompressor&) = delete;
  BrotliCompressor& operator=(const BrotliCompressor&) = delete;

  Step step(std::string_view input, std::span<char> output, Until until) noexcept override {
    const auto* in = reinterpret_cast<const uint8_t*>(input.data());
    auto* out = reinterpret_cast<uint8_t*>(output.data());
    size_t in_left = input.size();
    size_t out_left = output.size();
    const BrotliEncoderOperation operation = until == Until::kTaken     ? BROTLI_OPERATION_PROCESS
                                             : until == Until::kFlushed ? BROTLI_OPERATION_FLUSH
                                                                        : BROTLI_OPERATION_FINISH;
    const bool good = BrotliEncoderCompressStream(state_, operation, &in_left, &in, &out_left, &out,
                                                  nullptr) == BROTLI_TRUE;
    const bool all = in_left == 0 && BrotliEncoderHasMoreOutput(state_) == BROTLI_FALSE;
    return {.taken = input.size() - in_left,
            .written = output.size() - out_left,
            .done = all && (until != Until::kEnd || BrotliEncoderIsFinished(state_) == BROTLI_TRUE),
            .failed = !good};
  }

  bool restart() noexcept override {
    BrotliEncoderDestroyInstance(state_);
    begin();
    return true;
  }

 private:
  void begin() noexcept {
    state_ = BrotliEncoderCreateInstance(BrotliMemory::allocate, BrotliMemory::free, &memory_);
    HANGU_ASSERT(state_ != nullptr);
    BrotliEncoderSetParameter(state_, BROTLI_PARAM_QUALITY, level());
    BrotliEncoderSetParameter(state_, BROTLI_PARAM_LGWIN, kBrotliWindowBits);
  }

  BrotliMemory memory_;
  BrotliEncoderState* state_ = nullptr;
};

// --- Zstandard (RFC 8878) ---------------------------------------------------------------------

class ZstdCompressor final : public Compressor {
 public:
  explicit ZstdCompressor(uint32_t level)
      : Compressor(ContentCoding::kZstd, level),
        state_(ZSTD_createCCtx()) {
    HANGU_ASSERT(state_ != nullptr);
    ZSTD_CCtx_setParameter(state_, ZSTD_c_compressionLevel, static_cast<int>(level));
    ZSTD_CCtx_setParameter(state_, ZSTD_c_windowLog, kZstdWindowBits);
    ZSTD_CCtx_setParameter(state_, ZSTD_c_hashLog, kZstdTableBits);
    ZSTD_CCtx_setParameter(state_, ZSTD_c_chainLog, kZstdTableBits);
  }

  ~ZstdCompressor() override { ZSTD_freeCCtx(state_); }

  ZstdCompressor(const ZstdCompressor&) = delete;
  ZstdCompressor& operator=(const ZstdCompressor&) = delete;

  Step step(std::string_view input, std::span<char> output, Until until) noexcept override {
    ZSTD_inBuffer in{input.data(), input.size(), 0};
    ZSTD_outBuffer out{output.data(), output.size(), 0};
    const ZSTD_EndDirective directive = until == Until::kTaken     ? ZSTD_e_continue
                                        : until == Until::kFlushed ? ZSTD_e_flush
                                                                   : ZSTD_e_end;
    const size_t left = ZSTD_compressStream2(state_, &out, &in, directive);
    return {.taken = in.pos,
            .written = out.pos,
            .done = until == Until::kTaken ? in.pos == in.size : left == 0,
            .failed = ZSTD_isError(left) != 0};
  }

  bool restart() noexcept override {
    return ZSTD_isError(ZSTD_CCtx_reset(state_, ZSTD_reset_session_only)) == 0;
  }

 private:
  ZSTD_CCtx* state_;
};

std::unique_ptr<Compressor> make_compressor(ContentCoding coding, uint32_t level) {
  switch (coding) {
    case ContentCoding::kGzip: return std::make_unique<GzipCompressor>(level);
    case ContentCoding::kBrotli: return std::make_unique<BrotliCompressor>(level);
    case ContentCoding::kZstd: return std::make_unique<ZstdCompressor>(level);
  }
  return std::make_unique<GzipCompressor>(level);
}

}  // namespace

Compressors::~Compressors() {
  HANGU_ASSERT(bytes_in_use_ == 0);
}

/// Measured, see compressor_test.cc.
uint64_t Compressors::bytes_of(ContentCoding coding, uint32_t level) noexcept {
  switch (coding) {
    case ContentCoding::kGzip: return 272 * kKiB;
    case ContentCoding::kBrotli:
      return level < 2   ? 192 * kKiB
             : level < 5 ? 1408 * kKiB
             : level < 6 ? 2048 * kKiB
                         : 3072 * kKiB;
    case ContentCoding::kZstd: return 1408 * kKiB;
  }
  return 0;
}

Compressors::Ptr Compressors::take(ContentCoding coding, uint32_t level) noexcept {
  const uint64_t bytes = bytes_of(coding, level);
  if (bytes_in_use_ + bytes > bytes_max_) {
    return {};
  }
  const auto found =
      std::find_if(idle_.rbegin(), idle_.rend(), [&](const std::unique_ptr<Compressor>& idle) {
        return idle->coding() == coding && idle->level() == level;
      });
  std::unique_ptr<Compressor> taken;
  if (found == idle_.rend()) {
    taken = make_compressor(coding, level);
  } else {
    taken = std::move(*found);
    idle_.erase(std::next(found).base());
    if (!taken->restart()) {
      taken = make_compressor(coding, level);
    }
  }
  bytes_in_use_ += bytes;
  return Ptr(taken.release(), Returner{this});
}

void Compressors::put_back(Compressor* compressor) noexcept {
  std::unique_ptr<Compressor> returned(compressor);
  bytes_in_use_ -= bytes_of(returned->coding(), returned->level());
  if (idle_.size() == kIdleMax) {
    idle_.erase(idle_.begin());  // the one not used for longest
  }
  idle_.push_back(std::move(returned));
}

}  // namespace hangu::filter
