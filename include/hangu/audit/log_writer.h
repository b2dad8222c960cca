// LogWriter: writes records that shards hand over to a file or to standard output, on a thread of
// its own, so that a slow disk never holds up a request. Each shard has a bounded ring; what finds
// no room is dropped and counted. Records of one shard keep their order, and each is written whole.
// Owned by the gateway; append() from the shard's thread, everything else from the control thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>
#include <thread>

#include "hangu/audit/record_queues.h"
#include "hangu/audit/written_pages.h"
#include "hangu/base/clock.h"
#include "hangu/base/result.h"

namespace hangu::audit {

struct LogWriterOptions {
  std::string path;  // "-": standard output
  uint32_t shards = 1;
  size_t ring_bytes = 4 * 1024 * 1024;  // per shard
};

class LogWriter {
 public:
  explicit LogWriter(LogWriterOptions options);
  /// Writes what is left, for at most two seconds.
  ~LogWriter();

  LogWriter(const LogWriter&) = delete;
  LogWriter& operator=(const LogWriter&) = delete;

  /// Opens the file (appending, mode 0640) and starts the thread. A named pipe needs a reader.
  Result<void> start();

  /// A whole line with its line feed. Never blocks. False: dropped.
  bool append(uint32_t shard, std::string_view record) noexcept;

  /// Soon after, lines go to a file newly opened by the path: for log rotation.
  void reopen() noexcept;

  const LogWriterOptions& options() const { return options_; }

  // Any thread. The first two count records.
  uint64_t dropped() const noexcept;

  uint64_t written() const noexcept { return written_.load(std::memory_order_relaxed); }

  uint64_t write_errors() const noexcept { return write_errors_.load(std::memory_order_relaxed); }

 private:
  void run();
  bool drain();
  bool write_ring(RecordRing& ring);
  void note_written(std::string_view text);
  void note_failure(int error);
  void skip_rest_of_line();
  void write_what_is_left();
  void wait();
  bool out_of_time() const;
  Result<int> open_file() const;
  void use(int fd);
  void reopen_now();

  LogWriterOptions options_;
  RecordQueues queues_;
  int fd_ = -1;
  size_t write_bytes_max_ = 0;  // of one call
  std::atomic<bool> reopen_wanted_{false};
  std::atomic<bool> stopping_{false};
  TimePoint deadline_;  // once stopping_
  std::atomic<uint64_t> write_errors_{0};
  std::atomic<uint64_t> written_{0};
  std::atomic<uint64_t> cut_{0};  // records cut in two by a change of files
  // The thread's own.
  WrittenPages pages_;  // of fd_
  size_t ring_ = 0;     // the next to write
  bool stuck_ = false;
  bool in_line_ = false;  // the last write ended within a line
  bool complained_ = false;
  std::thread thread_;
};

}  // namespace hangu::audit
