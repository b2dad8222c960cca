// PieceSource: a file of an audit log as pieces of whole lines, for several threads: what has to
// happen in turn is done in claim(), the rest side by side in load(). A file that is not packed is
// only divided in turn: each thread reads its own part of it, into memory that it uses again and
// that stays in its core's cache; so is one that was packed in frames (FrameTable).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "hangu/audit/frame_table.h"
#include "hangu/audit/log_reader.h"
#include "hangu/base/result.h"

namespace hangu::audit {

struct LogPiece {
  std::string_view lines;  // whole, with their line feeds
  std::string buffer;      // what they lie in
  std::string packed;      // of a packed file: what they were
  Unpacker unpacker;
  uint64_t begin = 0;       // of a plain file: lines that begin in here
  uint64_t bytes_read = 0;  // of the file, up to its end
};

class PieceSource {
 public:
  virtual ~PieceSource() = default;

  /// The next piece, by one thread at a time; false: there is none any more.
  virtual Result<bool, std::string> claim(LogPiece& piece) = 0;

  /// Fills in its lines; any thread.
  virtual Result<void, std::string> load(LogPiece& piece) const = 0;
};

/// Of a file of either kind, as long as it was when it was opened. A line without a line feed at
/// its end is left out.
Result<std::unique_ptr<PieceSource>, std::string> open_pieces(const std::string& path);

/// Of what a reader reads, which belongs to it.
class ReaderPieces final : public PieceSource {
 public:
  explicit ReaderPieces(LogReader reader)
      : reader_(std::move(reader)) {}

  const LogReader& reader() const { return reader_; }

  Result<bool, std::string> claim(LogPiece& piece) override;
  Result<void, std::string> load(LogPiece& piece) const override;

 private:
  LogReader reader_;
};

/// Of a file that was packed in frames.
class PackedPieces final : public PieceSource {
 public:
  /// A file whose table `sizes` is; `fd` belongs to the source from now on.
  PackedPieces(std::string path, int fd, FrameSizes sizes);

  PackedPieces(const PackedPieces&) = delete;
  PackedPieces& operator=(const PackedPieces&) = delete;
  ~PackedPieces() override;

  Result<bool, std::string> claim(LogPiece& piece) override;
  Result<void, std::string> load(LogPiece& piece) const override;

 private:
  Failure<std::string> broken(std::string_view how) const;

  std::string path_;
  int fd_;
  FrameSizes sizes_;
  uint64_t frame_bytes_;  // of all
  size_t claimed_ = 0;    // frames
  uint64_t bytes_ = 0;    // of these
};

/// Of a file that is not packed.
class PlainPieces final : public PieceSource {
 public:
  static constexpr uint64_t kPieceBytes = 1024 * 1024;

  static Result<PlainPieces, std::string> open(const std::string& path,
                                               uint64_t piece_bytes = kPieceBytes);

  PlainPieces(PlainPieces&& other) noexcept;
  PlainPieces& operator=(PlainPieces&& other) = delete;
  ~PlainPieces() override;

  Result<bool, std::string> claim(LogPiece& piece) override;
  Result<void, std::string> load(LogPiece& piece) const override;

  uint64_t file_bytes() const { return file_bytes_; }

 private:
  PlainPieces(std::string path, int fd, uint64_t piece_bytes);

  Result<std::string_view, std::string> read(std::string& buffer, uint64_t at, size_t bytes) const;

  std::string path_;
  int fd_;
  uint64_t piece_bytes_;
  uint64_t file_bytes_ = 0;
  uint64_t claimed_ = 0;  // bytes
};

}  // namespace hangu::audit
