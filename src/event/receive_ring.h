// ReceiveRing: the receive blocks that are published to the kernel for multishot receives (a
// provided buffer ring). How many are published decides how much memory the traffic walks through:
// few keep bulk transfers inside the cache, many keep hundreds of small messages from running dry.
// So the number follows what one turn of the loop takes, and a bound on the bytes it may touch.
#pragma once

#include <cstdint>
#include <vector>

#include "hangu/base/result.h"
#include "hangu/buffer/block.h"

#include "event/ring.h"

namespace hangu::event {

class ReceiveRing {
 public:
  static constexpr uint16_t kGroup = 0;

  explicit ReceiveRing(buffer::BlockPool& pool)
      : pool_(pool) {}

  ~ReceiveRing();

  ReceiveRing(const ReceiveRing&) = delete;
  ReceiveRing& operator=(const ReceiveRing&) = delete;

  Result<void> open(Ring& ring);
  /// Takes the published blocks back; no receive may be armed any more.
  void close();

  /// The kernel has filled the block of this number with `bytes`.
  buffer::BlockRef take(uint32_t index, uint32_t bytes);
  /// A receive found no block.
  void starved();
  /// Once a turn: adapts the number and publishes what is missing.
  void top_up();

  uint32_t published() const { return published_; }

 private:
  void adapt();

  buffer::BlockPool& pool_;
  Ring* uring_ = nullptr;
  io_uring_buf_ring* ring_ = nullptr;
  std::vector<bool> in_ring_;  // by block number: the kernel holds it
  uint32_t published_ = 0;
  uint32_t target_ = 0;
  uint32_t taken_this_turn_ = 0;
  uint64_t bytes_this_turn_ = 0;
  uint32_t peak_ = 0;           // completions a turn, decaying
  uint32_t average_bytes_ = 0;  // a completion, moving average
};

}  // namespace hangu::event
