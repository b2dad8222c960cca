#include "hangu/audit/archive.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <memory>
#include <optional>
#include <system_error>

#include <fmt/format.h>

#include "hangu/audit/frame_table.h"
#include "hangu/base/file_bytes.h"
#include "hangu/base/parse.h"

namespace hangu::audit {
namespace {

constexpr std::string_view kPackedEnd = ".zst";
constexpr size_t kSeqDigits = 16;
constexpr int kPackLevel = 3;

Failure<std::string> system_failure(const std::string& path) {
  return {fmt::format("{}: {}", path, std::generic_category().message(errno))};
}

WallTime modified(const struct stat& status) {
  return WallTime(std::chrono::seconds(status.st_mtim.tv_sec) +
                  std::chrono::nanoseconds(status.st_mtim.tv_nsec));
}

class File {
 public:
  File(const std::string& path, int flags, mode_t mode = 0)
      : fd_(::open(path.c_str(), flags | O_CLOEXEC, mode)) {}

  ~File() {
    if (fd_ >= 0) {
      ::close(fd_);
    }
  }

  File(const File&) = delete;
  File& operator=(const File&) = delete;

  int fd() const { return fd_; }

 private:
  int fd_;
};

struct FreeStream {
  void operator()(ZSTD_CCtx* context) const noexcept { ZSTD_freeCCtx(context); }
};

/// Packs a file as frames of whole lines, and a table of them.
class Packer {
 public:
  Packer(int from, int to)
      : from_(from),
        to_(to),
        context_(ZSTD_createCCtx()) {
    ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_compressionLevel, kPackLevel);
    ZSTD_CCtx_setParameter(context_.get(), ZSTD_c_checksumFlag, 1);
  }

  /// Everything, and onto the disk.
  bool run(const std::atomic<bool>* cancelled) {
    size_t got = 0;
    do {
      if (!read(got) || (cancelled != nullptr && *cancelled) || !pack_lines(got == 0)) {
        return false;
      }
    } while (got != 0);
    const std::string table = whole_lines_ ? frame_table(sizes_) : std::string();
    return !write_all(to_, table) && ::fdatasync(to_) == 0;
  }

 private:
  static constexpr size_t kFrameBytes = 1024 * 1024;         // of text, about
  static constexpr size_t kLineBytesMax = 64 * kFrameBytes;  // more is no audit log

  /// As much as makes a frame; `got` of 0: the file has no more.
  bool read(size_t& got) {
    const size_t before = text_.size();
    text_.resize(before + kFrameBytes);
    ssize_t result = 0;
    do {
      result = ::read(from_, text_.data() + before, kFrameBytes);
    } while (result < 0 && errno == EINTR);
    got = result > 0 ? static_cast<size_t>(result) : 0;
    text_.resize(before + got);
    return result >= 0;
  }

  /// The lines there are, and in the end what is left.
  bool pack_lines(bool rest) {
    const size_t last = text_.rfind('\n');
    const bool too_long = last == std::string::npos && text_.size() > kLineBytesMax;
    whole_lines_ = whole_lines_ && !too_long;
    const size_t size = rest || too_long ? text_.size() : last + 1;  // 0: no line ends here
    if (size == 0) {
      return true;
    }
    packed_.resize(ZSTD_compressBound(size));
    const size_t packed =
        ZSTD_compress2(context_.get(), packed_.data(), packed_.size(), text_.data(), size);
    if (ZSTD_isError(packed) != 0) {
      errno = EIO;
      return false;
    }
    sizes_.push_back(static_cast<uint32_t>(packed));
    text_.erase(0, size);
    return !write_all(to_, {packed_.data(), packed});
  }

  int from_;
  int to_;
  std::unique_ptr<ZSTD_CCtx, FreeStream> context_;
  std::string text_;  // read, and not packed yet
  std::string packed_;
  FrameSizes sizes_;
  bool whole_lines_ = true;  // all frames but the last end with a line
};

/// The number in "audit.log.0000000000001234" or with ".zst"; nullopt: another file.
std::optional<ArchivedFile> parse_name(std::string_view name, const std::string& current) {
  if (!name.starts_with(current + ".")) {
    return std::nullopt;
  }
  std::string_view number = name.substr(current.size() + 1);
  ArchivedFile file;
  file.packed = number.ends_with(kPackedEnd);
  number.remove_suffix(file.packed ? kPackedEnd.size() : 0);
  const auto seq = parse_decimal(number);
  if (!seq || number.size() < kSeqDigits) {
    return std::nullopt;
  }
  file.first_seq = *seq;
  return file;
}

}  // namespace

std::string archived_path(const std::string& path, uint64_t first_seq) {
  return fmt::format("{}.{:016}", path, first_seq);
}

std::vector<ArchivedFile> archived_files(const std::string& path) {
  const std::filesystem::path whole(path);
  const std::filesystem::path folder = whole.has_parent_path() ? whole.parent_path() : ".";
  std::vector<ArchivedFile> files;
  std::error_code error;
  for (std::filesystem::directory_iterator at(folder, error), end; !error && at != end;
       at.increment(error)) {
    auto file = parse_name(at->path().filename().string(), whole.filename().string());

    struct stat status {};

    if (file && ::stat(at->path().c_str(), &status) == 0) {
      file->path = path + at->path().filename().string().substr(whole.filename().string().size());
      file->modified = modified(status);
      files.push_back(std::move(*file));
    }
  }
  std::sort(files.begin(), files.end(), [](const ArchivedFile& a, const ArchivedFile& b) {
    return std::pair(a.first_seq, a.packed) < std::pair(b.first_seq, b.packed);
  });
  const auto same = [](const ArchivedFile& a, const ArchivedFile& b) {
    return a.first_seq == b.first_seq;
  };
  files.erase(std::unique(files.begin(), files.end(), same), files.end());
  for (size_t i = 0; i + 1 < files.size(); ++i) {
    files[i].last_seq = files[i + 1].first_seq - 1;
  }
  return files;
}

std::vector<ArchivedFile> expired_files(const std::vector<ArchivedFile>& files, WallTime now,
                                        Duration retention) {
  std::vector<ArchivedFile> expired;
  for (const ArchivedFile& file : files) {
    // Only from the oldest on: what is kept has no gaps.
    if (retention == Duration::zero() || now - file.modified < retention) {
      break;
    }
    expired.push_back(file);
  }
  return expired;
}

Result<void, std::string> pack_file(const std::string& path, const std::atomic<bool>* cancelled) {
  const std::string packed = path + std::string(kPackedEnd);
  const std::string draft = packed + ".tmp";
  const File from(path, O_RDONLY);

  struct stat status {};

  if (from.fd() < 0 || ::fstat(from.fd(), &status) != 0) {
    return system_failure(path);
  }
  const File to(draft, O_WRONLY | O_CREAT | O_TRUNC, status.st_mode & 0777);
  const timespec times[2] = {status.st_atim, status.st_mtim};
  if (to.fd() < 0 || !Packer(from.fd(), to.fd()).run(cancelled) ||
      ::futimens(to.fd(), times) != 0 || ::rename(draft.c_str(), packed.c_str()) != 0) {
    const auto failure = system_failure(draft);
    ::unlink(draft.c_str());
    return failure;
  }
  return ::unlink(path.c_str()) == 0 ? Result<void, std::string>() : system_failure(path);
}

}  // namespace hangu::audit
