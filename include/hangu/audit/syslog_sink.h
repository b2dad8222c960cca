// SyslogSink: sends the lines of an audit log to a syslog server, too: RFC 5424 messages with their
// octets counted (RFC 6587 §3.4.1), over TCP or TLS (RFC 5425), on a thread of its own. It has a
// bounded queue; what finds no room there is left out, counted, and told to the server. The file
// has every record. put() from the audit log's thread, the rest from any.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "hangu/base/clock.h"
#include "hangu/tls/blocking_stream.h"

namespace hangu::audit {

struct SyslogOptions {
  tls::BlockingOptions server;
  std::string node;
  uint32_t facility = 13;
  size_t queue_bytes_max = 16 * 1024 * 1024;
};

/// One line of the log as a message in its frame.
std::string syslog_frame(std::string_view line, std::string_view node, uint32_t facility, int pid);

class SyslogSink {
 public:
  explicit SyslogSink(SyslogOptions options);
  ~SyslogSink();

  SyslogSink(const SyslogSink&) = delete;
  SyslogSink& operator=(const SyslogSink&) = delete;

  void start();
  /// Whole lines. Never waits.
  void put(std::string_view lines);
  /// Sends what is there until `deadline`, and ends the thread.
  void stop(TimePoint deadline);

  uint64_t sent() const noexcept { return sent_.load(std::memory_order_relaxed); }

  uint64_t dropped() const noexcept { return dropped_.load(std::memory_order_relaxed); }

  bool connected() const noexcept { return connected_.load(std::memory_order_relaxed); }

 private:
  void run();
  bool connect();
  bool send_lines(const std::string& lines, size_t& sent);
  bool say_dropped();
  bool out_of_time() const;

  SyslogOptions options_;
  std::unique_ptr<tls::BlockingStream> stream_;  // the thread's
  uint64_t dropped_said_ = 0;                    // the thread's
  bool complained_ = false;
  Duration pause_{};

  mutable std::mutex mutex_;
  std::condition_variable wanted_;
  std::deque<std::string> queue_;  // the head is the thread's until it is popped
  size_t queued_ = 0;
  bool stopping_ = false;
  TimePoint deadline_{};

  std::atomic<uint64_t> sent_{0};
  std::atomic<uint64_t> dropped_{0};
  std::atomic<bool> connected_{false};
  std::thread thread_;
};

}  // namespace hangu::audit
