#include "hangu/audit/file_writer.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "hangu/base/file_bytes.h"
#include "hangu/base/log.h"
#include "hangu/base/signal_mask.h"

namespace hangu::audit {
namespace {

constexpr mode_t kFileMode = 0640;
constexpr auto kRetryAfter = std::chrono::milliseconds(200);
constexpr int kAppendFlags = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY;

TimePoint now() {
  return std::chrono::steady_clock::now();
}

/// Writes from `done` on, which goes with what was written.
bool write_from(int fd, const std::string& text, size_t& done) {
  while (done < text.size()) {
    const ssize_t wrote = ::write(fd, text.data() + done, text.size() - done);
    if (wrote > 0) {
      done += static_cast<size_t>(wrote);
    } else if (wrote == 0 || errno != EINTR) {
      return false;
    }
  }
  return true;
}

void close_file(int& fd) {
  if (fd >= 0) {
    ::close(std::exchange(fd, -1));
  }
}

}  // namespace

FileWriter::FileWriter(FileWriterOptions options)
    : options_(std::move(options)) {}

FileWriter::~FileWriter() {
  stop(TimePoint{});
  close_file(fd_);
  close_file(checkpoint_fd_);
  close_file(spill_fd_);
}

Result<void, std::string> FileWriter::start() {
  close_file(fd_);
  close_file(checkpoint_fd_);
  stopping_ = false;
  if (!open_file()) {
    return Failure<std::string>{
        fmt::format("{}: {}", options_.path, std::generic_category().message(errno))};
  }
  synced_ = now();
  thread_ = std::thread([this] { run(); });
  return {};
}

bool FileWriter::open_file() {
  fd_ = ::open(options_.path.c_str(), kAppendFlags, kFileMode);
  pages_.begin(fd_);
  return fd_ >= 0;
}

bool FileWriter::has_room() const noexcept {
  if (queued_.load(std::memory_order_relaxed) < options_.queue_bytes_max) {
    return true;
  }
  return options_.spill_bytes_max != 0 && !spill_failing_.load(std::memory_order_relaxed) &&
         spilled_.load(std::memory_order_relaxed) < options_.spill_bytes_max;
}

void FileWriter::put(FileBatch batch) {
  const size_t bytes = batch.lines.size();
  {
    const std::lock_guard lock(mutex_);
    const bool full = queued_.load(std::memory_order_relaxed) >= options_.queue_bytes_max;
    if (options_.spill_bytes_max != 0 && full && spilled_batches_ == 0) {
      begin_spilling();
    }
    Waiting waiting{.batch = std::move(batch), .bytes = bytes, .spill_offset = spill_end_};
    // Once some are spilled, so is every later one until all are written: the file holds them in
    // order, and a crash loses none of them.
    if ((spilled_batches_ != 0 || full) && spill(waiting.batch.lines)) {
      waiting.spilled = true;
      waiting.batch.lines = std::string();
      ++spilled_batches_;
    } else {
      queued_ += bytes;
    }
    queue_.push_back(std::move(waiting));
  }
  wanted_.notify_one();
}

/// What waits in memory goes into the spill file, too: it must begin where the log ends.
void FileWriter::begin_spilling() {
  log::warning("event=audit_spilling path={} spill={}", options_.path, options_.spill_path);
  for (const Waiting& waiting : queue_) {
    if (!spill(waiting.batch.lines)) {
      return;
    }
  }
}

bool FileWriter::spill(const std::string& lines) {
  if (options_.spill_bytes_max == 0) {
    return false;
  }
  if (spill_fd_ < 0) {
    spill_fd_ =
        ::open(options_.spill_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOCTTY, kFileMode);
  }
  size_t done = 0;
  const bool good = spill_fd_ >= 0 && spill_end_ + lines.size() <= options_.spill_bytes_max &&
                    ::lseek(spill_fd_, static_cast<off_t>(spill_end_), SEEK_SET) >= 0 &&
                    write_from(spill_fd_, lines, done);
  if (!good && !spill_failing_.exchange(true)) {
    log::error("event=audit_spill_failed path={} errno={}", options_.spill_path, errno);
  }
  if (good) {
    spill_end_ += lines.size();
    spilled_ += lines.size();
    spilled_ever_ += lines.size();
  }
  return good;
}

size_t FileWriter::stop(TimePoint deadline) {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    deadline_ = deadline;
  }
  wanted_.notify_one();
  if (thread_.joinable()) {
    thread_.join();
  }
  size_t left = 0;
  for (const Waiting& waiting : queue_) {
    left += waiting.bytes - waiting.written;
  }
  return left;
}

// --- the thread -------------------------------------------------------------------------------

void FileWriter::run() {
  pthread_setname_np(pthread_self(), "hangu-audit-io");
  block_asynchronous_signals();
  std::unique_lock lock(mutex_);
  while (true) {
    if (queue_.empty()) {
      if (stopping_) {
        break;
      }
      wanted_.wait_for(lock, options_.fsync_interval);
    } else {
      Waiting& head = queue_.front();
      lock.unlock();
      const bool good = work_off(head);
      stuck_ = !good;
      lock.lock();
      if (good) {
        pop_head();
      } else if (stopping_ && now() >= deadline_) {
        break;
      } else {
        wanted_.wait_for(lock, kRetryAfter);
      }
    }
    lock.unlock();
    sync_if_due();
    lock.lock();
  }
  lock.unlock();
  if (options_.fsync != Fsync::kNever) {
    sync();
  }
}

void FileWriter::pop_head() {
  const Waiting& head = queue_.front();
  if (head.spilled) {
    spilled_ -= head.bytes;
    --spilled_batches_;
  } else {
    queued_ -= head.bytes;
  }
  queue_.pop_front();
  if (spilled_batches_ == 0 && spill_end_ != 0) {
    // Those that wait in memory now came later: nothing of the file is needed any more.
    static_cast<void>(::ftruncate(spill_fd_, 0) == 0);
    spill_end_ = 0;
    spilled_ = 0;
    spill_failing_ = false;
    log::info("event=audit_spill_done path={}", options_.path);
  }
}

bool FileWriter::work_off(Waiting& head) {
  if (!note(archive(head), "archive") || !note(fetch_spilled(head), "read the spill file of") ||
      !note(write_lines(head), "write")) {
    return false;
  }
  if (options_.fsync == Fsync::kBatch && !note(sync(), "sync")) {
    return false;
  }
  if (!note(write_checkpoints(head), "write the checkpoints of")) {
    return false;
  }
  note_recovered();
  for (const std::string& path : head.batch.remove) {
    if (::unlink(path.c_str()) != 0) {
      log::error("event=audit_remove_failed path={} errno={}", path, errno);
    }
  }
  return true;
}

/// Counts what went wrong, and says it once: until a whole batch went well.
bool FileWriter::note(bool good, const char* what) {
  if (good) {
    return true;
  }
  const int error = errno;
  failing_ = true;
  ++errors_;
  if (!std::exchange(complained_, true)) {
    log::error("event=audit_write_failed path={} errno={} error=\"cannot {} it: {}\"",
               options_.path, error, what, std::generic_category().message(error));
  }
  return false;
}

void FileWriter::note_recovered() {
  complained_ = false;
  if (failing_.exchange(false)) {
    log::info("event=audit_write_ok path={}", options_.path);
  }
}

bool FileWriter::archive(Waiting& head) {
  std::string& name = head.batch.archive_as;
  if (!name.empty()) {
    if (fd_ >= 0 && ((options_.fsync != Fsync::kNever && !sync()) ||
                     ::rename(options_.path.c_str(), name.c_str()) != 0)) {
      return false;
    }
    close_file(fd_);
    name.clear();
    if (options_.on_archived) {
      options_.on_archived();
    }
  }
  return fd_ >= 0 || open_file();
}

bool FileWriter::fetch_spilled(Waiting& head) {
  std::string& lines = head.batch.lines;
  if (!head.spilled || lines.size() == head.bytes) {
    return true;
  }
  lines = read_at(spill_fd_, head.bytes, static_cast<off_t>(head.spill_offset));
  if (lines.size() != head.bytes) {
    lines.clear();
    return false;
  }
  return true;
}

bool FileWriter::write_lines(Waiting& head) {
  const size_t before = head.written;
  const bool good = write_from(fd_, head.batch.lines, head.written);
  dirty_ = dirty_ || head.written != before;
  pages_.wrote(head.written - before);
  return good;
}

bool FileWriter::write_checkpoints(Waiting& head) {
  if (head.batch.checkpoints.empty()) {
    return true;
  }
  if (checkpoint_fd_ < 0) {
    checkpoint_fd_ = ::open(options_.checkpoint_path.c_str(), kAppendFlags, kFileMode);
  }
  return checkpoint_fd_ >= 0 &&
         write_from(checkpoint_fd_, head.batch.checkpoints, head.checkpoints_written);
}

bool FileWriter::sync() {
  if (!dirty_) {
    return true;
  }
  if (::fdatasync(fd_) != 0 && errno != EINVAL && errno != EROFS) {
    return false;
  }
  dirty_ = false;
  synced_ = now();
  return true;
}

void FileWriter::sync_if_due() {
  const bool due =
      options_.fsync == Fsync::kInterval && dirty_ && now() - synced_ >= options_.fsync_interval;
  if (due && note(sync(), "sync") && !stuck_) {
    note_recovered();
  }
}

}  // namespace hangu::audit
