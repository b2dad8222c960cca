#include "hangu/audit/log_tail.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "hangu/audit/archive.h"
#include "hangu/audit/log_reader.h"
#include "hangu/base/file_bytes.h"
#include "hangu/base/hex.h"
#include "hangu/base/log.h"

namespace hangu::audit {
namespace {

constexpr size_t kTailBytes = 256 * 1024;  // more than the longest line

Failure<std::string> no_log(const std::string& path, std::string_view why) {
  return {fmt::format("{}: {}; move it out of the way to begin a new log", path, why)};
}

bool ends_a_run(std::string_view line) {
  const std::string_view stopped = to_string(Event::kProcessStopped);
  const std::string_view event = member(line, "event");
  return event == stopped ||
         (event == to_string(Event::kCheckpoint) && member(line, key_of(Text::kReason)) == stopped);
}

}  // namespace

bool ends_a_handover(std::string_view line) {
  const std::string_view upgraded = to_string(Event::kProcessUpgraded);
  const std::string_view event = member(line, "event");
  const std::string_view reason = member(line, key_of(Text::kReason));
  return (event == upgraded && reason == kHandover) ||
         (event == to_string(Event::kCheckpoint) && reason == upgraded);
}

namespace {

/// Takes what the last whole line of `text` says.
Result<void, std::string> take_last_line(const std::string& path, std::string_view text,
                                         LogTail& tail) {
  const size_t end = text.rfind('\n');
  if (end == std::string_view::npos) {
    return no_log(path, "it does not end with a record");
  }
  const size_t before = end == 0 ? std::string_view::npos : text.rfind('\n', end - 1);
  const size_t begin = before == std::string_view::npos ? 0 : before + 1;
  const std::string_view line = text.substr(begin, end - begin);
  const auto link = parse_link(line);
  if (!link || !read_hex(link->hash, tail.end.hash)) {
    return no_log(path, "its last line is no record");
  }
  tail.end.seq = link->seq;
  tail.upgraded = ends_a_handover(line);
  tail.clean = tail.upgraded || ends_a_run(line);
  tail.torn = text.substr(end + 1);
  return {};
}

/// The end of a log whose last file is complete and packed or not.
Result<void, std::string> read_archived(const ArchivedFile& file, LogTail& tail) {
  auto reader = LogReader::open(file.path);
  if (!reader) {
    return Failure<std::string>{reader.error()};
  }
  std::string last;
  while (true) {
    auto piece = reader->next();
    if (!piece) {
      return Failure<std::string>{piece.error()};
    }
    if (piece->empty()) {
      break;
    }
    last = std::move(*piece);
  }
  auto taken = take_last_line(file.path, last, tail);
  tail.torn.clear();  // of that file, which nobody continues
  return taken;
}

Result<void, std::string> read_current(const std::string& path, int fd, LogTail& tail) {
  const std::string head = read_at(fd, std::min<uint64_t>(tail.bytes, kTailBytes), 0);
  const std::string_view first = std::string_view(head).substr(0, head.find('\n'));
  const auto link = parse_link(first);
  const auto kind = digest_kind(member(first, key_of(Text::kChain)));
  if (!link || !kind) {
    return no_log(path, "it does not begin as an audit log does");
  }
  tail.first_seq = link->seq;
  tail.kind = *kind;
  const uint64_t from = tail.bytes > kTailBytes ? tail.bytes - kTailBytes : 0;
  return take_last_line(path, read_at(fd, tail.bytes - from, static_cast<off_t>(from)), tail);
}

/// Whether `line`, with its line feed, is the next of the log; then appends what is missing of it.
Result<bool, std::string> append_next(int fd, std::string_view line, LogTail& tail) {
  const auto link = parse_link(line.substr(0, line.size() - 1));
  if (!link || link->seq != tail.end.seq + 1 || link->prev != to_hex(tail.end.hash) ||
      !line.starts_with(tail.torn)) {
    return false;
  }
  if (write_all(fd, line.substr(tail.torn.size()))) {
    return Failure<std::string>{
        fmt::format("spilled records: {}", std::generic_category().message(errno))};
  }
  if (tail.first_seq == 0) {
    tail.first_seq = link->seq;
  }
  tail.torn.clear();
  tail.bytes += line.size();
  tail.end.seq = link->seq;
  read_hex(link->hash, tail.end.hash);
  tail.clean = ends_a_run(line);
  return true;
}

}  // namespace

LogLock::LogLock(const std::string& path)
    : fd_(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOCTTY, 0640)) {
  if (fd_ >= 0 && ::flock(fd_, LOCK_EX | LOCK_NB) != 0) {
    ::close(std::exchange(fd_, -1));
  }
}

LogLock::LogLock(LogLock&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)) {}

LogLock::~LogLock() {
  release();
}

void LogLock::release() {
  if (fd_ >= 0) {
    ::close(std::exchange(fd_, -1));
  }
}

Result<LogTail, std::string> read_tail(const std::string& path) {
  LogTail tail;
  const std::vector<ArchivedFile> files = archived_files(path);
  if (!files.empty()) {
    tail.previous_file = std::filesystem::path(files.back().path).filename().string();
  }
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY);

  struct stat status {};

  const bool there = fd >= 0 && ::fstat(fd, &status) == 0;
  const int error = errno;
  auto done = Result<void, std::string>();
  if (!there && error != ENOENT) {
    done =
        Failure<std::string>{fmt::format("{}: {}", path, std::generic_category().message(error))};
  } else if (there && !S_ISREG(status.st_mode)) {
    done = no_log(path, "it is no file");
  } else if (there && status.st_size != 0) {
    tail.bytes = static_cast<uint64_t>(status.st_size);
    done = read_current(path, fd, tail);
  } else if (!files.empty()) {
    done = read_archived(files.back(), tail);
  }
  if (fd >= 0) {
    ::close(fd);
  }
  return done ? Result<LogTail, std::string>(std::move(tail)) : Failure<std::string>{done.error()};
}

Result<void, std::string> recover_spill(const std::string& path, const std::string& spill_path,
                                        LogTail& tail) {
  auto reader = LogReader::open(spill_path);
  if (!reader) {
    return {};  // there is none
  }
  constexpr mode_t kFileMode = 0640;
  const int fd = ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, kFileMode);
  uint64_t recovered = 0;
  uint64_t last_seq = 0;
  auto done = Result<void, std::string>();
  while (done) {
    const auto piece = reader->next();
    if (!piece || piece->empty()) {
      break;
    }
    for (size_t at = 0; at < piece->size() && done;) {
      const size_t end = piece->find('\n', at) + 1;
      const std::string_view line = std::string_view(*piece).substr(at, end - at);
      const auto appended = append_next(fd, line, tail);
      if (const auto link = parse_link(line.substr(0, line.size() - 1))) {
        last_seq = link->seq;
      }
      if (!appended) {
        done = Failure<std::string>{appended.error()};
      } else {
        recovered += *appended ? 1 : 0;
      }
      at = end;
    }
  }
  ::close(fd);
  if (done && last_seq > tail.end.seq) {  // what lies between is lost: keep it for people to see
    ::rename(spill_path.c_str(), (spill_path + ".unmatched").c_str());
    log::error("event=audit_spill_unmatched file={}.unmatched log_ends_at={}", spill_path,
               tail.end.seq);
  } else if (done) {
    ::unlink(spill_path.c_str());
    log::info("event=audit_spill_recovered records={}", recovered);
  }
  return done;
}

}  // namespace hangu::audit
