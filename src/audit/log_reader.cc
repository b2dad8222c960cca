#include "hangu/audit/log_reader.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include <fmt/format.h>

namespace hangu::audit {
namespace {

constexpr size_t kPieceBytes = 4 * 1024 * 1024;
constexpr size_t kPackedPieceBytes = 512 * 1024;
constexpr size_t kLineBytesMax = 64 * 1024 * 1024;  // more is no audit log

}  // namespace

void FreeUnpacker::operator()(ZSTD_DCtx_s* context) const noexcept {
  ZSTD_freeDCtx(context);
}

Result<LogReader, std::string> LogReader::open(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY);
  if (fd < 0) {
    return Failure<std::string>{
        fmt::format("{}: {}", path, std::generic_category().message(errno))};
  }
  return LogReader(path, fd);
}

LogReader::LogReader(std::string path, int fd)
    : path_(std::move(path)),
      fd_(fd),
      context_(path_.ends_with(".zst") ? ZSTD_createDCtx() : nullptr) {
  struct stat status {};

  if (::fstat(fd_, &status) == 0) {
    file_bytes_ = static_cast<uint64_t>(status.st_size);
  }
  ::posix_fadvise(fd_, 0, 0, POSIX_FADV_SEQUENTIAL);
}

LogReader::LogReader(LogReader&& other) noexcept
    : path_(std::move(other.path_)),
      fd_(std::exchange(other.fd_, -1)),
      rest_(std::move(other.rest_)),
      packed_(std::move(other.packed_)),
      context_(std::move(other.context_)),
      within_frame_(other.within_frame_),
      bytes_read_(other.bytes_read_),
      file_bytes_(other.file_bytes_) {}

LogReader::~LogReader() {
  if (fd_ >= 0) {
    ::close(fd_);
  }
}

Result<std::string, std::string> LogReader::next() {
  std::string piece;
  const auto read = next(piece);
  return read ? Result<std::string, std::string>(std::move(piece))
              : Failure<std::string>{read.error()};
}

Result<void, std::string> LogReader::next(std::string& piece) {
  piece.assign(rest_);
  rest_.clear();
  while (true) {
    const auto got = fill(piece);
    if (!got) {
      return Failure<std::string>{got.error()};
    }
    const size_t end = piece.rfind('\n');
    if (end != std::string::npos) {
      rest_.assign(piece, end + 1);
      piece.resize(end + 1);
      return {};
    }
    if (*got == 0) {
      rest_ = piece;
      piece.clear();
      return {};
    }
    if (piece.size() > kLineBytesMax) {
      return Failure<std::string>{fmt::format("{}: no line feed in {} bytes", path_, piece.size())};
    }
  }
}

Result<size_t, std::string> LogReader::fill(std::string& out) {
  std::string& into = context_ != nullptr ? packed_ : out;
  const size_t before = context_ != nullptr ? 0 : out.size();
  into.resize(before + (context_ != nullptr ? kPackedPieceBytes : kPieceBytes));
  ssize_t got = 0;
  do {
    got = ::read(fd_, into.data() + before, into.size() - before);
  } while (got < 0 && errno == EINTR);
  if (got < 0) {
    return Failure<std::string>{
        fmt::format("{}: {}", path_, std::generic_category().message(errno))};
  }
  const auto bytes = static_cast<size_t>(got);
  into.resize(before + bytes);
  bytes_read_ += bytes;
  if (context_ != nullptr) {
    if (auto unpacked = unpack(bytes, out); !unpacked) {
      return Failure<std::string>{unpacked.error()};
    }
  }
  return bytes;
}

Result<void, std::string> LogReader::unpack(size_t bytes, std::string& out) {
  if (bytes == 0 && within_frame_) {
    return Failure<std::string>{fmt::format("{}: the packed file is cut off", path_)};
  }
  ZSTD_inBuffer in{packed_.data(), bytes, 0};
  bool full = false;
  while (in.pos < in.size || full) {
    const size_t before = out.size();
    out.resize(before + ZSTD_DStreamOutSize());
    ZSTD_outBuffer to{out.data() + before, out.size() - before, 0};
    const size_t left = ZSTD_decompressStream(context_.get(), &to, &in);
    full = to.pos == to.size && left != 0;
    out.resize(before + to.pos);
    if (ZSTD_isError(left) != 0) {
      return Failure<std::string>{
          fmt::format("{}: the packed file is broken: {}", path_, ZSTD_getErrorName(left))};
    }
    within_frame_ = left != 0;
  }
  return {};
}

}  // namespace hangu::audit
