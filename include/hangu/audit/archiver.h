// Archiver: packs the complete files of an audit log and finds those that expired, on a thread of
// its own with the lowest priority. It deletes nothing: whoever owns the chain records the deletion
// first.
#pragma once

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "hangu/audit/archive.h"

namespace hangu::audit {

struct ArchiverOptions {
  std::string path;
  bool compress = true;
  Duration retention{};  // 0: for ever
};

class Archiver {
 public:
  explicit Archiver(ArchiverOptions options);
  ~Archiver();

  Archiver(const Archiver&) = delete;
  Archiver& operator=(const Archiver&) = delete;

  void start();
  /// Until the next start().
  void stop();
  /// A file has just been completed. Any thread.
  void wake();
  /// Those found since the last call, each once. Any thread.
  std::vector<ArchivedFile> take_expired();

 private:
  void run();
  void turn();
  Duration interval() const;

  ArchiverOptions options_;
  std::set<std::string> broken_;  // could not be packed: the thread's
  std::set<std::string> named_;   // expired and told: the thread's
  std::mutex mutex_;
  std::condition_variable wanted_;
  std::vector<ArchivedFile> expired_;
  bool woken_ = false;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace hangu::audit
