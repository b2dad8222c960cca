// LogReader: a file of an audit log as pieces of whole lines, packed with zstd or not. Owned by
// whoever reads; one thread. It blocks on the disk.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "hangu/base/result.h"

struct ZSTD_DCtx_s;

namespace hangu::audit {

struct FreeUnpacker {
  void operator()(ZSTD_DCtx_s* context) const noexcept;
};

using Unpacker = std::unique_ptr<ZSTD_DCtx_s, FreeUnpacker>;

class LogReader {
 public:
  static Result<LogReader, std::string> open(const std::string& path);

  LogReader(LogReader&& other) noexcept;
  LogReader& operator=(LogReader&& other) = delete;
  ~LogReader();

  /// The next lines, with their line feeds; empty at the end of the file, of which what has no line
  /// feed stays in rest(). More may come later when the file grows. The error says what is broken.
  Result<std::string, std::string> next();
  /// The same, in memory that is there.
  Result<void, std::string> next(std::string& piece);

  /// The beginning of a line that has no end yet.
  const std::string& rest() const { return rest_; }

  uint64_t bytes_read() const { return bytes_read_; }  // of the file

  uint64_t file_bytes() const { return file_bytes_; }  // when it was opened

 private:
  LogReader(std::string path, int fd);

  /// Appends what comes next to `out`; how much was read of the file.
  Result<size_t, std::string> fill(std::string& out);
  Result<void, std::string> unpack(size_t bytes, std::string& out);

  std::string path_;
  int fd_;
  std::string rest_;
  std::string packed_;  // a piece of a packed file
  Unpacker context_;    // nullptr: the file is not packed
  bool within_frame_ = false;
  uint64_t bytes_read_ = 0;
  uint64_t file_bytes_ = 0;
};

}  // namespace hangu::audit
