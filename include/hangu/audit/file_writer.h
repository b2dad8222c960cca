// FileWriter: brings the lines of an audit log to the disk in the order in which it got them, on a
// thread of its own, so that a disk that is slow, full or gone holds up nobody. Batches wait in
// memory; beyond that, where it may, in the spill file, until the log takes them. It also renames
// the file when its time has come, and removes files that expired. put() from one thread (the audit
// log's), the rest from any. It knows no record and no chain.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "hangu/audit/written_pages.h"
#include "hangu/base/clock.h"
#include "hangu/base/result.h"

namespace hangu::audit {

enum class Fsync : uint8_t { kNever, kInterval, kBatch };

struct FileWriterOptions {
  std::string path;
  std::string checkpoint_path;
  std::string spill_path;
  uint64_t spill_bytes_max = 0;  // 0: no spilling
  size_t queue_bytes_max = 16 * 1024 * 1024;
  Fsync fsync = Fsync::kInterval;
  Duration fsync_interval = std::chrono::seconds(1);
  std::function<void()> on_archived;  // a file has got its name; on the thread
};

struct FileBatch {
  std::string archive_as;           // first, the file so far gets this name; empty: it goes on
  std::string lines;                // whole ones
  std::string checkpoints;          // for their own file, after the lines
  std::vector<std::string> remove;  // files, last
};

class FileWriter {
 public:
  explicit FileWriter(FileWriterOptions options);
  /// As stop() with no time left.
  ~FileWriter();

  FileWriter(const FileWriter&) = delete;
  FileWriter& operator=(const FileWriter&) = delete;

  /// Opens the file (appending, mode 0640) and starts the thread; again after stop().
  Result<void, std::string> start();

  /// Whether a batch finds a place. What is put without one is kept in memory all the same.
  bool has_room() const noexcept;
  void put(FileBatch batch);

  /// Writes what is there until `deadline` and ends the thread; how many bytes were left.
  size_t stop(TimePoint deadline);

  /// The last attempt to write failed.
  bool failing() const noexcept { return failing_.load(std::memory_order_relaxed); }

  uint64_t errors() const noexcept { return errors_.load(std::memory_order_relaxed); }

  /// Bytes in the spill file that the log does not have yet.
  uint64_t spilled_bytes() const noexcept { return spilled_.load(std::memory_order_relaxed); }

  uint64_t spilled_ever() const noexcept { return spilled_ever_.load(std::memory_order_relaxed); }

 private:
  struct Waiting {
    FileBatch batch;
    size_t bytes = 0;           // of the lines
    uint64_t spill_offset = 0;  // where they are, when they are not in the batch
    bool spilled = false;
    size_t written = 0;  // of the lines, by now
    size_t checkpoints_written = 0;
  };

  void run();
  bool work_off(Waiting& head);
  bool archive(Waiting& head);
  bool write_lines(Waiting& head);
  bool write_checkpoints(Waiting& head);
  bool fetch_spilled(Waiting& head);
  bool sync();
  void sync_if_due();
  bool open_file();
  bool note(bool good, const char* what);
  void note_recovered();
  bool spill(const std::string& lines);
  void begin_spilling();
  void pop_head();

  FileWriterOptions options_;
  int fd_ = -1;             // the thread's, after start()
  WrittenPages pages_;      // of fd_
  int checkpoint_fd_ = -1;  // the thread's
  int spill_fd_ = -1;
  bool dirty_ = false;  // the thread's
  bool stuck_ = false;  // the thread's: the head could not be written
  TimePoint synced_{};  // the thread's
  bool complained_ = false;

  mutable std::mutex mutex_;
  std::condition_variable wanted_;
  std::deque<Waiting> queue_;  // the head is the thread's until it is popped
  uint64_t spill_end_ = 0;
  size_t spilled_batches_ = 0;
  bool stopping_ = false;
  TimePoint deadline_{};

  std::atomic<size_t> queued_{0};  // bytes of lines in memory
  std::atomic<bool> failing_{false};
  std::atomic<bool> spill_failing_{false};
  std::atomic<uint64_t> errors_{0};
  std::atomic<uint64_t> spilled_{0};
  std::atomic<uint64_t> spilled_ever_{0};
  std::thread thread_;
};

}  // namespace hangu::audit
