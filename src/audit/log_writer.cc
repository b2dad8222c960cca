#include "hangu/audit/log_writer.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <utility>

#include <climits>

#include "hangu/base/log.h"
#include "hangu/base/signal_mask.h"

namespace hangu::audit {
namespace {

constexpr int kPollMs = 100;      // how long a record may wait for company
constexpr int kWritableMs = 200;  // patience with a reader of standard output, per try
constexpr auto kStopPatience = std::chrono::seconds(2);
constexpr size_t kFileWriteBytesMax = 1024 * 1024;
constexpr mode_t kFileMode = 0640;

/// Cuts the pieces to `max` bytes in all; returns how many are left.
size_t cut(iovec (&pieces)[2], size_t count, size_t max) {
  pieces[0].iov_len = std::min(pieces[0].iov_len, max);
  if (count == 2) {
    pieces[1].iov_len = std::min(pieces[1].iov_len, max - pieces[0].iov_len);
  }
  return count == 2 && pieces[1].iov_len == 0 ? 1 : count;
}

std::string_view text_of(const iovec& piece) {
  return {static_cast<const char*>(piece.iov_base), piece.iov_len};
}

}  // namespace

LogWriter::LogWriter(LogWriterOptions options)
    : options_(std::move(options)),
      queues_(options_.shards, options_.ring_bytes) {}

LogWriter::~LogWriter() {
  deadline_ = std::chrono::steady_clock::now() + kStopPatience;
  stopping_ = true;
  queues_.wake();
  if (thread_.joinable()) {
    thread_.join();
  }
  if (fd_ > STDERR_FILENO) {
    ::close(fd_);
  }
}

Result<void> LogWriter::start() {
  const Result<int> fd = open_file();
  if (!fd) {
    return fail(fd.error());
  }
  use(*fd);
  thread_ = std::thread([this] { run(); });
  return {};
}

Result<int> LogWriter::open_file() const {
  if (options_.path == "-") {
    return STDOUT_FILENO;
  }
  // O_NONBLOCK: a named pipe without a reader is an error, not a reason to wait.
  constexpr int kFlags = O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
  const int fd = ::open(options_.path.c_str(), kFlags, kFileMode);
  if (fd < 0) {
    return fail(internal_error(Errc::kSystem, "cannot open the log file", errno));
  }
  return fd;
}

void LogWriter::use(int fd) {
  fd_ = fd;
  pages_.begin(fd);

  struct stat status {};

  const bool file = ::fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
  // A pipe that is writable takes PIPE_BUF without blocking.
  write_bytes_max_ = file ? kFileWriteBytesMax : PIPE_BUF;
}

bool LogWriter::append(uint32_t shard, std::string_view record) noexcept {
  return queues_.append(shard, record);
}

void LogWriter::reopen() noexcept {
  reopen_wanted_ = true;
  queues_.wake();
}

uint64_t LogWriter::dropped() const noexcept {
  return queues_.dropped() + cut_.load(std::memory_order_relaxed);
}

// --- the thread -------------------------------------------------------------------------------

/// While the file takes nothing, only the clock wakes us: the shards have nothing new to say.
void LogWriter::wait() {
  queues_.wait(kPollMs, stuck_);
}

void LogWriter::run() {
  pthread_setname_np(pthread_self(), "hangu-log");
  block_asynchronous_signals();  // signals are for the main thread; SIGPIPE comes as EPIPE
  while (!stopping_) {
    wait();
    if (reopen_wanted_.exchange(false)) {
      static_cast<void>(drain());  // what came before belongs into the old file
      reopen_now();
    }
    stuck_ = !drain();
  }
  write_what_is_left();
}

bool LogWriter::out_of_time() const {
  return stopping_ && std::chrono::steady_clock::now() >= deadline_;
}

void LogWriter::write_what_is_left() {
  while (!drain()) {
    if (out_of_time()) {
      log::error("event=log_lost path={} bytes={}", options_.path, queues_.held());
      return;
    }
    stuck_ = true;
    wait();
  }
}

void LogWriter::reopen_now() {
  const Result<int> fd = open_file();
  if (!fd) {
    log::error("event=log_reopen_failed path={} errno={}", options_.path, fd.error().sys_errno);
    return;
  }
  if (*fd == fd_) {
    return;
  }
  const int old = std::exchange(fd_, -1);
  use(*fd);
  if (old > STDERR_FILENO) {
    ::close(old);
  }
  skip_rest_of_line();
}

/// The old file took only the beginning of a line: the new one does not begin with its end.
void LogWriter::skip_rest_of_line() {
  while (in_line_) {
    iovec pieces[2];
    if (queues_.ring(ring_).peek(pieces) == 0) {
      break;
    }
    const std::string_view text = text_of(pieces[0]);
    const size_t end = text.find('\n');
    in_line_ = end == std::string_view::npos;
    queues_.ring(ring_).consume(in_line_ ? text.size() : end + 1);
    if (!in_line_) {
      cut_.fetch_add(1, std::memory_order_relaxed);
    }
  }
  in_line_ = false;
}

/// Writes what the rings hold; true when all of it is gone.
bool LogWriter::drain() {
  for (size_t i = 0; i < queues_.size(); ++i) {
    if (!write_ring(queues_.ring(ring_))) {
      return false;  // perhaps within a line: the same ring goes on next time
    }
    ring_ = (ring_ + 1) % queues_.size();
  }
  return true;
}

bool LogWriter::write_ring(RecordRing& ring) {
  // What comes in meanwhile waits for the next turn, lest a busy shard keeps out the others.
  // Records go in whole, so this ends at the end of one.
  size_t left = ring.held();
  while (left != 0) {
    pollfd writable{.fd = fd_, .events = POLLOUT, .revents = 0};
    if (out_of_time() || ::poll(&writable, 1, kWritableMs) == 0) {
      return false;
    }
    iovec pieces[2];
    const size_t count = cut(pieces, ring.peek(pieces), std::min(left, write_bytes_max_));
    const ssize_t result = ::writev(fd_, pieces, static_cast<int>(count));
    if (result < 0 && errno == EINTR) {
      continue;
    }
    if (result <= 0) {
      note_failure(errno);
      return false;
    }
    const auto wrote = static_cast<size_t>(result);
    cut(pieces, count, wrote);
    for (size_t i = 0; i < count; ++i) {
      note_written(text_of(pieces[i]));
    }
    ring.consume(wrote);
    pages_.wrote(wrote);
    left -= wrote;
  }
  return true;
}

void LogWriter::note_written(std::string_view text) {
  if (text.empty()) {
    return;
  }
  const auto lines = static_cast<uint64_t>(std::count(text.begin(), text.end(), '\n'));
  written_.fetch_add(lines, std::memory_order_relaxed);
  in_line_ = text.back() != '\n';
  complained_ = false;
}

/// A full disk may have room again later: the records stay in the ring as long as that has.
void LogWriter::note_failure(int error) {
  if (error == EAGAIN) {
    return;
  }
  write_errors_.fetch_add(1, std::memory_order_relaxed);
  if (!std::exchange(complained_, true)) {
    log::error("event=log_write_failed path={} errno={}", options_.path, error);
  }
}

}  // namespace hangu::audit
