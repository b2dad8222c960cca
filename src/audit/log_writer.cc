#include "hangu/audit/log_writer.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <climits>
#include <utility>

#include "hangu/base/log.h"

namespace hangu::audit {
namespace {

constexpr int kPollMs = 100;        // how long a record may wait for company
constexpr int kWritableMs = 200;    // patience with a reader of standard output, per try
constexpr auto kStopPatience = std::chrono::seconds(2);
constexpr size_t kFileWriteBytesMax = 1024 * 1024;
constexpr mode_t kFileMode = 0640;

}  // namespace

LogWriter::LogWriter(LogWriterOptions options)
    : options_(std::move(options)), wake_fd_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  for (uint32_t shard = 0; shard < options_.shards; ++shard) {
    rings_.push_back(std::make_unique<RecordRing>(options_.ring_bytes));
  }
}

LogWriter::~LogWriter() {
  stopping_ = true;
  wake();
  if (thread_.joinable()) {
    thread_.join();
  }
  if (fd_ > STDERR_FILENO) {
    ::close(fd_);
  }
  ::close(wake_fd_);
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
  const int fd = ::open(options_.path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, kFileMode);
  if (fd < 0) {
    return fail(internal_error(Errc::kSystem, "cannot open the log file", errno));
  }
  return fd;
}

void LogWriter::use(int fd) {
  fd_ = fd;
  struct stat status {};
  const bool pipe = ::fstat(fd, &status) == 0 && (S_ISFIFO(status.st_mode) || S_ISSOCK(status.st_mode));
  // A pipe that is writable takes this much without blocking.
  write_bytes_max_ = pipe ? PIPE_BUF : kFileWriteBytesMax;
}

bool LogWriter::append(uint32_t shard, std::string_view record) noexcept {
  RecordRing& ring = *rings_[shard];
  const bool taken = ring.append(record);
  if (ring.held() > ring.capacity() / 2) {
    wake();
  }
  return taken;
}

void LogWriter::reopen() noexcept {
  reopen_wanted_ = true;
  wake();
}

uint64_t LogWriter::dropped() const noexcept {
  uint64_t dropped = 0;
  for (const auto& ring : rings_) {
    dropped += ring->dropped();
  }
  return dropped;
}

// --- the thread -----------------------------------------------------------------------------------

void LogWriter::wake() noexcept {
  if (!woken_.exchange(true)) {
    const uint64_t one = 1;
    static_cast<void>(!::write(wake_fd_, &one, sizeof one));
  }
}

void LogWriter::wait() {
  pollfd waiting{.fd = wake_fd_, .events = POLLIN, .revents = 0};
  ::poll(&waiting, 1, kPollMs);
  uint64_t count = 0;
  static_cast<void>(!::read(wake_fd_, &count, sizeof count));
  woken_ = false;
}

void LogWriter::run() {
  pthread_setname_np(pthread_self(), "hangu-log");
  while (!stopping_) {
    wait();
    if (reopen_wanted_.exchange(false)) {
      static_cast<void>(drain());  // what came before belongs into the old file
      reopen_now();
    }
    static_cast<void>(drain());
  }
  const auto deadline = std::chrono::steady_clock::now() + kStopPatience;
  while (!drain() && std::chrono::steady_clock::now() < deadline) {
  }
}

void LogWriter::reopen_now() {
  const Result<int> fd = open_file();
  if (!fd) {
    log::error("event=log_reopen_failed path={} errno={}", options_.path, fd.error().sys_errno);
    return;
  }
  const int old = std::exchange(fd_, -1);
  use(*fd);
  if (old > STDERR_FILENO && old != fd_) {
    ::close(old);
  }
}

/// Writes what the rings hold; true when all of it is gone.
bool LogWriter::drain() {
  bool all = true;
  for (const auto& ring : rings_) {
    all = write_ring(*ring) && all;
  }
  return all;
}

bool LogWriter::write_ring(RecordRing& ring) {
  iovec pieces[2];
  while (ring.peek(pieces) != 0) {
    pollfd writable{.fd = fd_, .events = POLLOUT, .revents = 0};
    if (::poll(&writable, 1, kWritableMs) == 0) {
      return false;
    }
    const ssize_t wrote =
        ::write(fd_, pieces[0].iov_base, std::min(pieces[0].iov_len, write_bytes_max_));
    if (wrote > 0) {
      ring.consume(static_cast<size_t>(wrote));
      complained_ = false;
    } else if (errno != EINTR && errno != EAGAIN) {
      // A full disk may have room again later: the records stay in the ring as long as that has.
      write_errors_.fetch_add(1, std::memory_order_relaxed);
      if (!std::exchange(complained_, true)) {
        log::error("event=log_write_failed path={} errno={}", options_.path, errno);
      }
      return false;
    }
  }
  return true;
}

}  // namespace hangu::audit
