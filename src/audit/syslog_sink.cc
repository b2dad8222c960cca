#include "hangu/audit/syslog_sink.h"

#include <pthread.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "hangu/audit/chain.h"
#include "hangu/audit/parallel_pieces.h"
#include "hangu/base/log.h"
#include "hangu/base/signal_mask.h"

namespace hangu::audit {
namespace {

constexpr Duration kPauseMin = std::chrono::milliseconds(200);
constexpr Duration kPauseMax = std::chrono::seconds(5);
constexpr auto kLookEvery = std::chrono::seconds(1);  // at a connection that is idle
constexpr size_t kSendBytes = 64 * 1024;

int severity_of(std::string_view line) {
  constexpr int kError = 3;
  constexpr int kWarning = 4;
  constexpr int kInformational = 6;
  const std::string_view result = member(line, "result");
  if (result == to_string(Outcome::kFailed)) {
    return kError;
  }
  return result == to_string(Outcome::kDenied) ? kWarning : kInformational;
}

}  // namespace

std::string syslog_frame(std::string_view line, std::string_view node, uint32_t facility, int pid) {
  const std::string_view event = member(line, "event");
  const std::string_view time = member(line, "ts");
  const std::string message = fmt::format(
      "<{}>1 {} {} hangu {} {} - {}", facility * 8 + static_cast<uint32_t>(severity_of(line)),
      time.empty() ? "-" : time, node.empty() ? "-" : node, pid, event.empty() ? "-" : event, line);
  return fmt::format("{} {}", message.size(), message);
}

SyslogSink::SyslogSink(SyslogOptions options)
    : options_(std::move(options)) {}

SyslogSink::~SyslogSink() {
  stop(TimePoint{});
}

void SyslogSink::start() {
  thread_ = std::thread([this] { run(); });
}

void SyslogSink::put(std::string_view lines) {
  {
    const std::lock_guard lock(mutex_);
    if (queued_ + lines.size() > options_.queue_bytes_max) {
      dropped_ += static_cast<uint64_t>(std::count(lines.begin(), lines.end(), '\n'));
      return;
    }
    queued_ += lines.size();
    queue_.emplace_back(lines);
  }
  wanted_.notify_one();
}

void SyslogSink::stop(TimePoint deadline) {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    deadline_ = deadline;
  }
  wanted_.notify_one();
  if (thread_.joinable()) {
    thread_.join();
  }
}

// --- the thread -------------------------------------------------------------------------------

bool SyslogSink::out_of_time() const {
  const std::lock_guard lock(mutex_);
  return stopping_ && std::chrono::steady_clock::now() >= deadline_;
}

void SyslogSink::run() {
  pthread_setname_np(pthread_self(), "hangu-syslog");
  block_asynchronous_signals();
  size_t sent = 0;  // of the head
  std::unique_lock lock(mutex_);
  while (!stopping_ || (!queue_.empty() && std::chrono::steady_clock::now() < deadline_)) {
    if (stream_ == nullptr && pause_ != Duration::zero()) {
      wanted_.wait_for(lock, pause_, [this] { return stopping_; });
    } else if (queue_.empty()) {
      wanted_.wait_for(lock, kLookEvery, [this] { return stopping_ || !queue_.empty(); });
    }
    const std::string* head = queue_.empty() ? nullptr : &queue_.front();
    lock.unlock();
    if (stream_ != nullptr && !stream_->alive()) {
      stream_.reset();
    }
    const bool good = (stream_ != nullptr || connect()) && say_dropped() &&
                      (head == nullptr || send_lines(*head, sent));
    if (!good) {
      stream_.reset();
      connected_ = false;
    }
    lock.lock();
    if (good && head != nullptr) {
      queued_ -= head->size();
      queue_.pop_front();
      sent = 0;
    }
  }
  lock.unlock();
  stream_.reset();
}

bool SyslogSink::connect() {
  auto connected = tls::BlockingStream::connect(options_.server);
  if (!connected) {
    pause_ = std::clamp(pause_ * 2, kPauseMin, kPauseMax);
    if (!std::exchange(complained_, true)) {
      log::error("event=audit_syslog_down error=\"{}\"", connected.error());
    }
    return false;
  }
  pause_ = Duration::zero();
  stream_ = std::move(*connected);
  connected_ = true;
  complained_ = false;
  log::info("event=audit_syslog_up server={}:{}", options_.server.host, options_.server.port);
  return true;
}

/// Goes on behind the last line that went out whole: the server may get one twice, never half.
bool SyslogSink::send_lines(const std::string& lines, size_t& sent) {
  const int pid = ::getpid();
  while (sent < lines.size()) {
    std::string frames;
    size_t at = sent;
    uint64_t count = 0;
    while (at < lines.size() && frames.size() < kSendBytes) {
      const size_t end = lines.find('\n', at);
      frames += syslog_frame(std::string_view(lines).substr(at, end - at), options_.node,
                             options_.facility, pid);
      at = end + 1;
      ++count;
    }
    if (stream_->write(frames) != frames.size() || out_of_time()) {
      pause_ = std::max(pause_, kPauseMin);
      return false;
    }
    sent = at;
    sent_ += count;
  }
  return true;
}

bool SyslogSink::say_dropped() {
  const uint64_t dropped = dropped_.load();
  if (dropped == dropped_said_) {
    return true;
  }
  const std::string text = fmt::format(
      "{{\"event\":\"syslog.lost\",\"result\":\"failed\",\"count\":{},\"detail\":\"the "
      "file has them\"}}",
      dropped - dropped_said_);
  const std::string frame = syslog_frame(text, options_.node, options_.facility, ::getpid());
  const bool good = stream_->write(frame) == frame.size();
  dropped_said_ = good ? dropped : dropped_said_;
  return good;
}

}  // namespace hangu::audit
