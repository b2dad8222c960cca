// StreamHandle: a weak reference to a stream, for whoever answers it later: a filter that paused
// one waits for another thread, an upstream or a timer, and the client may leave meanwhile. A plain
// value that may travel between threads; only the stream's shard can look it up. StreamHandles: the
// shard's table of them. A stream that nobody asks for a handle is not in it and costs nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace hangu::filter {

class Stream;

struct StreamHandle {
  uint32_t slot = 0;
  uint32_t generation = 0;  // 0: of no stream

  explicit operator bool() const { return generation != 0; }

  bool operator==(const StreamHandle&) const = default;
};

class StreamHandles {
 public:
  /// The stream; nullptr once it is over.
  Stream* find(StreamHandle handle) const noexcept {
    const bool alive = handle.slot < slots_.size() && handle.generation != 0 &&
                       slots_[handle.slot].generation == handle.generation;
    return alive ? slots_[handle.slot].stream : nullptr;
  }

  /// Streams that have a handle now.
  size_t size() const { return slots_.size() - free_.size(); }

 private:
  friend class Stream;  // gets its handle when it is first asked for, and returns it when it is
                        // over

  struct Slot {
    Stream* stream = nullptr;
    uint32_t generation = 1;
  };

  StreamHandle add(Stream& stream);
  void remove(StreamHandle handle) noexcept;

  std::vector<Slot> slots_;  // as many as streams have waited at once
  std::vector<uint32_t> free_;
};

}  // namespace hangu::filter
