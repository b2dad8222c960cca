// AuditLog: the audit log of the process. Shards and the control thread leave packed records in
// rings of their own; one thread takes them, hides what is personal, numbers, writes them as lines
// and links those into the chain (chain.h); a FileWriter brings them to the disk. Every so often a
// signed checkpoint says how far the chain had come. Owned by the gateway. append(), reserve() and
// release() from the producer's thread, the rest from the control thread. It decides nothing about
// requests: filter/audit_filter does.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "hangu/audit/archiver.h"
#include "hangu/audit/chain.h"
#include "hangu/audit/file_writer.h"
#include "hangu/audit/log_tail.h"
#include "hangu/audit/mask.h"
#include "hangu/audit/record.h"
#include "hangu/audit/record_queues.h"
#include "hangu/audit/relay.h"
#include "hangu/audit/syslog_sink.h"
#include "hangu/base/result.h"
#include "hangu/tls/signature.h"

namespace hangu::audit {

enum class Backpressure : uint8_t { kSpill, kDropWithMarker, kFailClosed };

struct AuditLogOptions {
  FileWriterOptions file;
  std::string node;
  uint32_t shards = 1;
  size_t ring_bytes = 4 * 1024 * 1024;  // per shard
  DigestKind chain = DigestKind::kSha256;
  std::string signing_key;  // PEM file; empty: no checkpoints
  uint64_t checkpoint_records = 10'000;
  Duration checkpoint_interval = std::chrono::seconds(1);
  Backpressure on_backpressure = Backpressure::kSpill;
  uint64_t rotate_bytes = 0;   // 0: no limit
  Duration rotate_interval{};  // 0: never
  bool compress = true;
  Duration retention{};  // 0: for ever
  bool mask = true;
  std::vector<std::string> mask_patterns;
  std::optional<SyslogOptions> syslog;
};

class AuditLog {
 public:
  /// Goes on where the file ends, and records the start of the process. The error is one line.
  static Result<std::unique_ptr<AuditLog>, std::string> open(AuditLogOptions options);

  /// Records the end of the process and writes everything, for at most two seconds.
  ~AuditLog();

  AuditLog(const AuditLog&) = delete;
  AuditLog& operator=(const AuditLog&) = delete;

  /// Never blocks. False: there was no room; the log will say how many it lacks.
  bool append(uint32_t shard, Record& record) noexcept;

  /// The same for the control thread.
  bool append_control(Record& record) noexcept { return append(options_.shards, record); }

  /// Room for a record that is still to come: with `fail_closed`, a request that gets none must not
  /// go on. The same amount goes back by release(), before or after the record itself.
  bool reserve(uint32_t shard, uint32_t bytes) noexcept;

  void release(uint32_t shard, uint32_t bytes) noexcept { reserved_[shard].bytes -= bytes; }

  // From process to process. Control thread; these wait for the log's thread.

  /// Records that the process leaves the log to another, and lets go of the files, complete and
  /// signed. Records wait in their rings until take_back() or relay_to(). On failure it goes on.
  Result<void, std::string> hand_over(std::string_view detail);
  /// The other process is gone: goes on where the file ends, as soon as it has the lock.
  void take_back();
  /// The other process has the log: it gets the records, too. Owns `socket`.
  void relay_to(int socket);
  /// Takes what a process that relays sends over `socket`, until that ends. Owns it.
  void take_relayed(int socket);

  /// How many processes relay to this one.
  uint32_t relaying() const noexcept { return relaying_.load(std::memory_order_relaxed); }

  bool fails_closed() const { return options_.on_backpressure == Backpressure::kFailClosed; }

  const AuditLogOptions& options() const { return options_; }

  // Any thread.
  uint64_t written() const noexcept { return written_.load(std::memory_order_relaxed); }

  uint64_t dropped() const noexcept { return queues_.dropped(); }

  uint64_t write_errors() const noexcept { return file_.errors(); }

  uint64_t spilled_bytes() const noexcept { return file_.spilled_bytes(); }

  bool failing() const noexcept { return file_.failing(); }

  const SyslogSink* syslog() const noexcept { return syslog_.get(); }  // nullptr: none

 private:
  enum class Mode : uint8_t {
    kWriting,
    kAway,      // another process has the files: records wait
    kTaking,    // likewise, until the files can be had again
    kRelaying,  // another process has the files and gets the records
  };

  struct alignas(64) Reserved {
    uint64_t bytes = 0;  // the shard's own
  };

  AuditLog(AuditLogOptions options, LogLock lock, const LogTail& tail,
           std::optional<tls::SigningKey> key, std::optional<Masker> masker);

  void begin(const LogTail& tail);
  void continue_file(const LogTail& tail);
  void add_started(const LogTail& tail);
  void run();
  void run_task();
  void on_thread(const std::function<void()>& task);
  std::string leave(std::string_view detail);
  bool go_on_writing();
  Result<LogTail, std::string> reclaim_files();
  void turn();
  void take_relayed_records();
  bool has_room() const;
  void take_in();
  bool take_ring(uint32_t producer);
  bool take_piece(uint32_t producer, std::string_view piece, size_t& taken);
  void take_record(uint32_t producer, std::string_view packed);
  void say_lost(uint32_t producer, uint64_t lost);
  void add(const Record& record, uint32_t producer);
  void add_own(Record& record);
  void add_checkpoint(std::string_view reason = {});
  void add_checkpoint_if_due();
  void rotate(std::string_view reason);
  void rotate_if_full();
  void rotate_if_due();
  void record_expired();
  void open_file(std::string_view reason, const std::string& previous_file, uint64_t torn_bytes);
  void flush();
  void flush_relay();
  void finish();
  void finish_writing();
  void finish_relay();

  AuditLogOptions options_;
  std::optional<LogLock> lock_;  // while the files are ours
  RecordQueues queues_;          // of the shards, then of the control thread
  std::vector<Reserved> reserved_;
  Archiver archiver_;
  FileWriter file_;
  std::unique_ptr<SyslogSink> syslog_;
  // The thread's own.
  Chain chain_;
  std::optional<tls::SigningKey> key_;
  std::optional<Masker> masker_;
  FileBatch batch_;
  uint64_t file_bytes_ = 0;
  uint64_t file_first_seq_ = 1;
  TimePoint file_opened_{};
  uint64_t generation_ = 0;
  uint64_t unsigned_records_ = 0;
  TimePoint unsigned_since_{};
  std::vector<uint64_t> lost_said_;  // by ring
  std::string scratch_;
  bool stuck_ = false;
  bool hasty_ = false;  // there is more to be taken at once
  Mode mode_ = Mode::kWriting;
  bool complained_ = false;             // of files that cannot be had again
  std::unique_ptr<RelayWriter> relay_;  // while kRelaying, and until its rest is written
  std::vector<RelayReader> relayed_;

  std::mutex task_mutex_;
  std::function<void()> task_;
  std::atomic<uint32_t> relaying_{0};
  std::atomic<uint64_t> written_{0};
  std::atomic<bool> stopping_{false};
  TimePoint deadline_{};  // once stopping_
  std::thread thread_;
};

}  // namespace hangu::audit
