#include "hangu/audit/log_pieces.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include <algorithm>
#include <cerrno>
#include <numeric>
#include <system_error>
#include <utility>

#include <fmt/format.h>

namespace hangu::audit {
namespace {

constexpr size_t kPageBytes = 4096;
constexpr size_t kBeyondBytes = 2 * kPageBytes;         // for the end of the last line, at first
constexpr size_t kLongestLineBytes = 64 * 1024 * 1024;  // more is no audit log
constexpr uint64_t kFrameTextMax = 2 * kLongestLineBytes;

Failure<std::string> errno_failure(const std::string& path) {
  return {fmt::format("{}: {}", path, std::generic_category().message(errno))};
}

}  // namespace

Result<std::unique_ptr<PieceSource>, std::string> open_pieces(const std::string& path) {
  using Opened = Result<std::unique_ptr<PieceSource>, std::string>;
  if (!path.ends_with(".zst")) {
    auto plain = PlainPieces::open(path);
    return plain ? Opened(std::make_unique<PlainPieces>(std::move(*plain)))
                 : Opened(Failure<std::string>{plain.error()});
  }
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY);
  if (fd < 0) {
    return errno_failure(path);
  }

  struct stat status {};

  const bool known = ::fstat(fd, &status) == 0;
  auto sizes = known ? read_frame_table(fd, static_cast<uint64_t>(status.st_size)) : std::nullopt;
  if (sizes) {
    return Opened(std::make_unique<PackedPieces>(path, fd, std::move(*sizes)));
  }
  ::close(fd);
  auto reader = LogReader::open(path);
  return reader ? Opened(std::make_unique<ReaderPieces>(std::move(*reader)))
                : Opened(Failure<std::string>{reader.error()});
}

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

// --- of a file that was packed in frames --------------------------------------------------------

PackedPieces::PackedPieces(std::string path, int fd, FrameSizes sizes)
    : path_(std::move(path)),
      fd_(fd),
      sizes_(std::move(sizes)),
      frame_bytes_(std::accumulate(sizes_.begin(), sizes_.end(), uint64_t{0})) {
  ::posix_fadvise(fd_, 0, 0, POSIX_FADV_SEQUENTIAL);
}

PackedPieces::~PackedPieces() {
  ::close(fd_);
}

Result<bool, std::string> PackedPieces::claim(LogPiece& piece) {
  if (claimed_ == sizes_.size()) {
    return false;
  }
  piece.begin = bytes_;
  bytes_ += sizes_[claimed_++];
  piece.bytes_read = bytes_;
  return true;
}

Failure<std::string> PackedPieces::broken(std::string_view how) const {
  return {fmt::format("{}: the packed file is broken: {}", path_, how)};
}

Result<void, std::string> PackedPieces::load(LogPiece& piece) const {
  const auto size = static_cast<size_t>(piece.bytes_read - piece.begin);
  piece.packed.resize(size);
  if (::pread(fd_, piece.packed.data(), size, static_cast<off_t>(piece.begin)) !=
      static_cast<ssize_t>(size)) {
    return broken("it is shorter than it was");
  }
  const uint64_t text_bytes = ZSTD_getFrameContentSize(piece.packed.data(), size);
  if (text_bytes > kFrameTextMax) {  // or unknown, or no frame at all
    return broken("no frame of lines where one should be");
  }
  // Never smaller again, see PlainPieces::read().
  if (piece.buffer.size() < text_bytes) {
    piece.buffer.resize(text_bytes);
  }
  if (piece.unpacker == nullptr) {
    piece.unpacker.reset(ZSTD_createDCtx());
  }
  const size_t unpacked = ZSTD_decompressDCtx(piece.unpacker.get(), piece.buffer.data(),
                                              piece.buffer.size(), piece.packed.data(), size);
  if (ZSTD_isError(unpacked) != 0) {
    return broken(ZSTD_getErrorName(unpacked));
  }
  const auto text = std::string_view(piece.buffer).substr(0, unpacked);
  piece.lines = text.substr(0, text.rfind('\n') + 1);
  if (piece.lines.size() != text.size() && piece.bytes_read != frame_bytes_) {
    return broken("a frame does not end with a line");
  }
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
