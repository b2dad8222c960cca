// QuotaSaver: keeps the counts of quotas in a file of the state directory: written every few
// seconds and at the end, by a thread of its own, in place of the file before; read when the first
// quota is configured. What was counted since the last writing is lost if the process is killed.
// Control thread; shards know nothing of it.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "hangu/filter/rate_limit.h"

#include "server/quota_file.h"

namespace hangu::server {

class QuotaSaver {
 public:
  using Limits = std::vector<std::shared_ptr<const filter::RateLimit>>;

  explicit QuotaSaver(std::string directory)
      : directory_(std::move(directory)) {}

  ~QuotaSaver() { stop(); }

  QuotaSaver(const QuotaSaver&) = delete;
  QuotaSaver& operator=(const QuotaSaver&) = delete;

  /// Fills in what an earlier process has counted for it.
  void restore(const config::RateLimit& limit, filter::RateLimitCounts& counts);

  /// What is written from now on; limits without a quota are passed over.
  void track(const Limits& limits);

  /// The file is another process's: nothing is read and nothing written before take_over().
  void wait() { waiting_ = true; }

  /// The file is this process's: it is read by restore() and written after the next track().
  void take_over();
  /// The file is this process's again, after hand_over(): it has only what this one counts.
  void take_back();
  /// Writes a last time; then the file is another process's, until take_back().
  void hand_over();

  /// After hand_over(): what is still counted here is left for that process from now on.
  void leave_late_counts();

  /// Writes a last time.
  void stop();

 private:
  void load();
  void start();
  void run();
  void save(const Limits& limits);
  void leave_late(const Limits& limits);

  std::string path() const { return directory_ + "/quotas"; }

  const std::string directory_;
  std::map<std::string, SavedQuota> saved_;  // as read, by name
  bool loaded_ = false;
  bool waiting_ = false;
  bool leaving_ = false;  // changes only while there is no thread

  std::mutex mutex_;
  std::condition_variable wake_;
  Limits limits_;
  bool stopping_ = false;
  // The thread's.
  std::string last_written_;
  std::vector<SavedQuota> handed_;  // all that the other process has been told
  uint64_t late_files_ = 0;
  bool failing_ = false;
  std::thread thread_;
};

}  // namespace hangu::server
