// LogoutJournal: the file in which what providers have ended survives a restart. Processes of one
// state directory may add to it at the same time, as during an upgrade: each turn is under the
// file's lock, and begins with what others have written meanwhile. Records are of one size, each
// with a checksum; half of one, of a process that was killed, is cut off by the next who writes.
// One thread at a time; waits for the disk.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "hangu/identity/logout_entry.h"

namespace hangu::server {

class LogoutJournal {
 public:
  using Entries = std::span<const identity::LogoutEntry>;

  static constexpr size_t kRecordBytes = 96;

  explicit LogoutJournal(std::string path)
      : path_(std::move(path)) {}

  ~LogoutJournal() { end(); }

  LogoutJournal(const LogoutJournal&) = delete;
  LogoutJournal& operator=(const LogoutJournal&) = delete;

  const std::string& path() const { return path_; }

  /// Whether others have written since the last turn, or taken the file away. One system call.
  bool has_news() const;

  /// Takes the lock. `writes`: makes the file and its directory where there are none.
  std::error_code begin(bool writes);

  /// Once in a turn, before all else: what this object has not read or written itself.
  std::vector<identity::LogoutEntry> news();

  /// Whether there are records that news() could not read, or did not yet.
  bool has_unread() const;

  /// On failure nothing is added. Not while anything is unread.
  std::error_code append(Entries entries);

  /// In the place of everything that is there. Not while anything is unread.
  std::error_code replace(Entries all);

  void end() noexcept;

  /// In the file, as far as is known.
  size_t records() const { return static_cast<size_t>(known_) / kRecordBytes; }

  /// That were not as they were written, since this object is there.
  size_t damaged() const { return damaged_; }

 private:
  std::string path_;
  int fd_ = -1;      // in a turn
  ino_t inode_ = 0;  // of the file that is known
  off_t known_ = 0;  // and so much of it
  size_t damaged_ = 0;
};

/// Pure.
std::string encode_logouts(LogoutJournal::Entries entries);

/// Whole records; those that are not as they were written are counted in `damaged`.
std::vector<identity::LogoutEntry> decode_logouts(std::string_view bytes, size_t& damaged);

}  // namespace hangu::server
