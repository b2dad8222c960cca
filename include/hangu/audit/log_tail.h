// LogTail: where an audit log stands that another run of the process left behind, and the way to go
// on from there. Control thread, before the log's threads exist; blocks on the disk.
#pragma once

#include <cstdint>
#include <string>

#include "hangu/audit/chain.h"
#include "hangu/base/result.h"

namespace hangu::audit {

/// Keeps two processes from writing one log. The lock goes with the process, however that ends.
class LogLock {
 public:
  explicit LogLock(const std::string& path);
  LogLock(LogLock&& other) noexcept;
  LogLock& operator=(LogLock&& other) = delete;
  ~LogLock();

  bool held() const { return fd_ >= 0; }

  void release();

 private:
  int fd_;
};

struct LogTail {
  ChainEnd end;
  DigestKind kind = DigestKind::kSha256;  // of the file that is there
  uint64_t first_seq = 0;                 // of that file; 0: there is none, or it is empty
  uint64_t bytes = 0;                     // of that file
  std::string torn;                       // the beginning of a line, behind the last record
  bool clean = true;                      // the last run said that it ended
  bool upgraded = false;                  // or that another process goes on
  std::string previous_file;              // the newest complete one; without its folder
};

/// `reason` of the process.upgrade with which a process leaves the log to its successor.
inline constexpr std::string_view kHandover = "handover";

/// Whether a line is the last word of a process on a log that another goes on with.
bool ends_a_handover(std::string_view line);

/// The error says why `path` is no audit log.
Result<LogTail, std::string> read_tail(const std::string& path);

/// Appends to the log at `path` what a run that crashed left in the spill file and the log lacks;
/// `tail` goes with it. Removes the spill file.
Result<void, std::string> recover_spill(const std::string& path, const std::string& spill_path,
                                        LogTail& tail);

}  // namespace hangu::audit
