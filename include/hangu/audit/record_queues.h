// RecordQueues: a bounded ring for each thread that makes records, and what wakes the one thread
// that takes them. append() from the producer's thread, wait() from the consumer's, the rest from
// any. It owns no thread and reads no record.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "hangu/audit/record_ring.h"

namespace hangu::audit {

class RecordQueues {
 public:
  RecordQueues(uint32_t producers, size_t bytes_each);
  ~RecordQueues();

  RecordQueues(const RecordQueues&) = delete;
  RecordQueues& operator=(const RecordQueues&) = delete;

  /// Never blocks. False, and counted: no room. Wakes the consumer when the ring is half full.
  bool append(uint32_t producer, std::string_view record) noexcept;

  void wake() noexcept;
  /// Until somebody wakes us, for at most so long. `deaf`: then only the clock wakes us until the
  /// next call.
  void wait(int at_most_ms, bool deaf = false) noexcept;

  RecordRing& ring(size_t producer) { return *rings_[producer]; }

  const RecordRing& ring(size_t producer) const { return *rings_[producer]; }

  size_t size() const { return rings_.size(); }

  size_t held() const noexcept;
  uint64_t dropped() const noexcept;

 private:
  std::vector<std::unique_ptr<RecordRing>> rings_;
  int wake_fd_;
  std::atomic<bool> woken_{false};
};

}  // namespace hangu::audit
