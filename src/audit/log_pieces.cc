#include "hangu/audit/log_pieces.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include <fmt/format.h>

namespace hangu::audit {
namespace {

constexpr size_t kPageBytes = 4096;
constexpr size_t kBeyondBytes = 2 * kPageBytes;         // for the end of the last line, at first
constexpr size_t kLongestLineBytes = 64 * 1024 * 1024;  // more is no audit log

Failure<std::string> errno_failure(const std::string& path) {
  return {fmt::format("{}: {}", path, std::generic_category().message(errno))};
}

}  // namespace

// --- by a reader ------------------------------------------------------------------------------

Result<bool, std::string> ReaderPieces::claim(LogPiece& piece) {
  if (const auto read = reader_.next(piece.buffer); !read) {
    return Failure<std::string>{read.error()};
  }
  piece.bytes_read = reader_.bytes_read();
  return !piece.buffer.empty();
}

Result<void, std::string> ReaderPieces::load(LogPiece& piece) const {
  piece.lines = piece.buffer;
  return {};
}

// --- of a plain file --------------------------------------------------------------------------

Result<PlainPieces, std::string> PlainPieces::open(const std::string& path, uint64_t piece_bytes) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY);
  if (fd < 0) {
    return errno_failure(path);
  }
  return PlainPieces(path, fd, piece_bytes);
}

PlainPieces::PlainPieces(std::string path, int fd, uint64_t piece_bytes)
    : path_(std::move(path)),
      fd_(fd),
      piece_bytes_(piece_bytes) {
  struct stat status {};

  if (::fstat(fd_, &status) == 0) {
    file_bytes_ = static_cast<uint64_t>(status.st_size);
  }
  ::posix_fadvise(fd_, 0, 0, POSIX_FADV_SEQUENTIAL);
}

PlainPieces::PlainPieces(PlainPieces&& other) noexcept
    : path_(std::move(other.path_)),
      fd_(std::exchange(other.fd_, -1)),
      piece_bytes_(other.piece_bytes_),
      file_bytes_(other.file_bytes_),
      claimed_(other.claimed_) {}

PlainPieces::~PlainPieces() {
  if (fd_ >= 0) {
    ::close(fd_);
  }
}

Result<bool, std::string> PlainPieces::claim(LogPiece& piece) {
  piece.begin = claimed_;
  claimed_ = std::min(claimed_ + piece_bytes_, file_bytes_);
  piece.bytes_read = claimed_;
  return piece.begin != claimed_;
}

/// A line is of the piece that has its first byte: whether one begins there the byte before tells.
Result<void, std::string> PlainPieces::load(LogPiece& piece) const {
  const uint64_t from = piece.begin - std::min<uint64_t>(piece.begin, kPageBytes);
  const auto own = static_cast<size_t>(piece.bytes_read - from);
  piece.lines = {};
  for (size_t wanted = own + kBeyondBytes;; wanted *= 2) {
    const auto text = read(piece.buffer, from, wanted);
    if (!text) {
      return Failure<std::string>{text.error()};
    }
    const size_t before = piece.begin == 0 ? 0 : text->find('\n', piece.begin - from - 1);
    const size_t first = piece.begin == 0 ? 0 : before + 1;
    if (before == std::string_view::npos || first >= own) {
      return {};  // one line goes on through all of it
    }
    const size_t end = text->find('\n', own - 1);
    if (end != std::string_view::npos || text->size() < wanted) {
      const size_t last = end != std::string_view::npos ? end : text->rfind('\n');
      if (last != std::string_view::npos && last >= first) {
        piece.lines = text->substr(first, last + 1 - first);
      }
      return {};
    }
    if (wanted - own > kLongestLineBytes) {
      return Failure<std::string>{fmt::format("{}: no line feed in {} bytes", path_, wanted - own)};
    }
  }
}

/// To where a page begins: from a page of the cache to somewhere within another one the kernel
/// copies at half the speed, on some processors.
Result<std::string_view, std::string> PlainPieces::read(std::string& buffer, uint64_t at,
                                                        size_t bytes) const {
  // Never smaller again: to fill it anew with zeros would cost as much as to read.
  if (buffer.size() < bytes + kPageBytes) {
    buffer.resize(bytes + kPageBytes);
  }
  const size_t within = reinterpret_cast<uintptr_t>(buffer.data()) % kPageBytes;
  char* const to = buffer.data() + (kPageBytes - within) % kPageBytes;
  const size_t wanted = std::min<size_t>(bytes, static_cast<size_t>(file_bytes_ - at));
  size_t held = 0;
  while (held < wanted) {
    const ssize_t got = ::pread(fd_, to + held, wanted - held, static_cast<off_t>(at + held));
    if (got < 0 && errno != EINTR) {
      return errno_failure(path_);
    }
    if (got == 0) {
      break;  // somebody has cut it off
    }
    held += got > 0 ? static_cast<size_t>(got) : 0;
  }
  return std::string_view(to, held);
}

}  // namespace hangu::audit
