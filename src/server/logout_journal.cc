#include "server/logout_journal.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <utility>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "hangu/base/file_bytes.h"
#include "hangu/base/packed_fields.h"
#include "hangu/base/replace_file.h"

namespace hangu::server {
namespace {

using identity::Digest;
using identity::LogoutEntry;

constexpr uint64_t kRecordMagic = 0x4c4f474f'55540100;  // and the kind
constexpr uint64_t kKindMask = 0xff;
constexpr mode_t kMode = 0600;
constexpr size_t kChecksumBytes = 8;

std::error_code last_error() {
  return {errno, std::generic_category()};
}

void put_digest(std::string& out, const Digest& digest) {
  out.append(digest.begin(), digest.end());
}

Digest digest_at(std::string_view record, size_t at) {
  Digest digest{};
  std::copy_n(record.begin() + static_cast<std::ptrdiff_t>(at), digest.size(), digest.begin());
  return digest;
}

/// False: it is not as it was written.
bool decode(std::string_view record, LogoutEntry& entry) {
  const std::string_view content = record.substr(0, record.size() - kChecksumBytes);
  const uint64_t head = PackedFields(record).number();
  const auto kind = static_cast<LogoutEntry::Kind>(head & kKindMask);
  const bool known = kind == LogoutEntry::Kind::kSessions || kind == LogoutEntry::Kind::kToken;
  if ((head & ~kKindMask) != kRecordMagic || !known ||
      PackedFields(record.substr(content.size())).number() !=
          XXH3_64bits(content.data(), content.size())) {
    return false;
  }
  constexpr size_t kHeadBytes = 8;
  PackedFields times(content.substr(kHeadBytes + 2 * sizeof(Digest)));
  entry.kind = kind;
  entry.scope = digest_at(record, kHeadBytes);
  entry.digest = digest_at(record, kHeadBytes + sizeof(Digest));
  entry.at_s = static_cast<int64_t>(times.number());
  entry.until_s = static_cast<int64_t>(times.number());
  return true;
}

}  // namespace

std::string encode_logouts(LogoutJournal::Entries entries) {
  std::string out;
  out.reserve(entries.size() * LogoutJournal::kRecordBytes);
  for (const LogoutEntry& entry : entries) {
    const size_t begin = out.size();
    put_number(out, kRecordMagic | static_cast<uint64_t>(entry.kind));
    put_digest(out, entry.scope);
    put_digest(out, entry.digest);
    put_number(out, static_cast<uint64_t>(entry.at_s));
    put_number(out, static_cast<uint64_t>(entry.until_s));
    put_number(out, uint64_t{XXH3_64bits(out.data() + begin, out.size() - begin)});
  }
  return out;
}

std::vector<LogoutEntry> decode_logouts(std::string_view bytes, size_t& damaged) {
  std::vector<LogoutEntry> entries;
  entries.reserve(bytes.size() / LogoutJournal::kRecordBytes);
  for (; bytes.size() >= LogoutJournal::kRecordBytes;
       bytes.remove_prefix(LogoutJournal::kRecordBytes)) {
    LogoutEntry entry;
    if (decode(bytes.substr(0, LogoutJournal::kRecordBytes), entry)) {
      entries.push_back(entry);
    } else {
      ++damaged;
    }
  }
  return entries;
}

bool LogoutJournal::has_news() const {
  struct stat found {};

  if (::stat(path_.c_str(), &found) != 0) {
    return inode_ != 0;  // it has been taken away
  }
  return found.st_ino != inode_ || found.st_size != known_;
}

/// Whoever waited for the lock may have got that of a file that another has replaced meanwhile.
std::error_code LogoutJournal::begin(bool writes) {
  if (writes) {
    std::error_code ignored;  // then the file cannot be made, which is told
    std::filesystem::create_directories(std::filesystem::path(path_).parent_path(), ignored);
  }
  while (true) {
    fd_ = ::open(path_.c_str(), O_CLOEXEC | (writes ? O_RDWR | O_CREAT : O_RDONLY), kMode);
    if (fd_ < 0) {
      return last_error();
    }

    struct stat held {};

    struct stat named {};

    if (::flock(fd_, LOCK_EX) != 0 || ::fstat(fd_, &held) != 0) {
      const std::error_code error = last_error();
      end();
      return error;
    }
    if (::stat(path_.c_str(), &named) == 0 && named.st_ino == held.st_ino) {
      if (held.st_ino != inode_ || held.st_size < known_) {
        inode_ = held.st_ino;
        known_ = 0;
      }
      return {};
    }
    end();
  }
}

std::vector<LogoutEntry> LogoutJournal::news() {
  struct stat found {};

  if (fd_ < 0 || ::fstat(fd_, &found) != 0) {
    return {};
  }
  constexpr auto kBytes = static_cast<off_t>(kRecordBytes);
  const off_t left = std::max<off_t>(found.st_size / kBytes * kBytes - known_, 0);
  const std::string bytes = read_at(fd_, static_cast<size_t>(left), known_);
  const size_t whole = bytes.size() / kRecordBytes * kRecordBytes;
  known_ += static_cast<off_t>(whole);
  return decode_logouts(std::string_view(bytes).substr(0, whole), damaged_);
}

bool LogoutJournal::has_unread() const {
  struct stat found {};

  return ::fstat(fd_, &found) != 0 || found.st_size - known_ >= static_cast<off_t>(kRecordBytes);
}

std::error_code LogoutJournal::append(Entries entries) {
  const std::string bytes = encode_logouts(entries);
  if (has_unread()) {
    return std::make_error_code(std::errc::io_error);
  }
  if (::ftruncate(fd_, known_) != 0) {  // half a record
    return last_error();
  }
  std::error_code error = write_all_at(fd_, bytes, known_);
  if (!error && ::fdatasync(fd_) != 0) {
    error = last_error();
  }
  if (error) {
    static_cast<void>(::ftruncate(fd_, known_) == 0);
    return error;
  }
  known_ += static_cast<off_t>(bytes.size());
  return {};
}

std::error_code LogoutJournal::replace(Entries all) {
  const std::string bytes = encode_logouts(all);
  if (has_unread()) {
    return std::make_error_code(std::errc::io_error);
  }
  if (const std::error_code error = replace_file(path_, bytes, kMode)) {
    return error;
  }

  struct stat found {};

  inode_ = ::stat(path_.c_str(), &found) == 0 ? found.st_ino : 0;
  known_ = static_cast<off_t>(bytes.size());
  return {};
}

void LogoutJournal::end() noexcept {
  if (fd_ >= 0) {
    ::close(std::exchange(fd_, -1));  // and with it the lock
  }
}

}  // namespace hangu::server
