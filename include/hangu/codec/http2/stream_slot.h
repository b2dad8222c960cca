// StreamSlot: one stream of an HTTP/2 connection as its Multiplexer sees it: state, windows, what
// waits to be sent. Whoever carries the stream derives from it. StreamIndex finds slots by their
// number. One connection, one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "hangu/base/intrusive_list.h"
#include "hangu/buffer/output_queue.h"
#include "hangu/codec/http2/priority.h"
#include "hangu/http/header_block.h"

namespace hangu::codec::http2 {

class StreamSlot : public ListNode<StreamSlot> {
 public:
  explicit StreamSlot(buffer::BlockPool& small)
      : queue_(small) {}

  uint32_t id() const { return id_; }

  /// Bytes of body that wait for a window, or for their turn.
  size_t queued_bytes() const { return queue_.bytes(); }

  /// Whether we, or the peer, have sent END_STREAM.
  bool local_ended() const { return local_ended_; }

  bool remote_ended() const { return remote_ended_; }

  /// Whether everything was handed over, END_STREAM included.
  bool end_queued() const { return end_queued_; }

  /// Whether the peer's window, and not us, holds back what is queued.
  bool window_closed() const { return send_window_ <= 0; }

  /// Grows with every byte of body that left.
  uint64_t sent_bytes() const { return sent_bytes_; }

 private:
  friend class Multiplexer;
  friend class StreamIndex;

  StreamSlot* next_in_bucket_ = nullptr;
  buffer::OutputQueue queue_;
  const http::HeaderBlock* trailers_ = nullptr;  // to be sent behind the queue
  buffer::Arena* trailers_arena_ = nullptr;
  uint64_t sent_bytes_ = 0;
  int64_t send_window_ = 0;
  int64_t body_left_ = -1;       // of the received body, -1: its length is not known
  uint32_t receive_window_ = 0;  // what the peer may still send
  uint32_t unconsumed_ = 0;      // received, nobody has taken it yet
  uint32_t unreturned_ = 0;      // taken, the peer does not know yet
  uint32_t id_ = 0;
  Priority priority_{.incremental = true};
  bool head_received_ = false;  // the final one
  bool local_ended_ = false;
  bool remote_ended_ = false;
  bool end_queued_ = false;
  bool tell_writable_ = false;
};

class StreamIndex {
 public:
  StreamIndex()
      : buckets_(kBucketsMin, nullptr) {}

  StreamSlot* find(uint32_t id) const noexcept;
  void insert(StreamSlot& slot);
  void erase(StreamSlot& slot) noexcept;

  size_t size() const { return size_; }

  /// Calls `visit(StreamSlot&)` for each; `visit` may insert and erase any.
  template <class Visit>
  void for_each(Visit visit) {
    for (const uint32_t id : ids()) {
      if (StreamSlot* slot = find(id)) {
        visit(*slot);
      }
    }
  }

 private:
  static constexpr size_t kBucketsMin = 8;  // a power of two

  /// Numbers of one side are all odd or all even.
  StreamSlot*& bucket(uint32_t id) { return buckets_[(id >> 1) & (buckets_.size() - 1)]; }

  std::vector<uint32_t> ids() const;
  void grow();

  std::vector<StreamSlot*> buckets_;
  size_t size_ = 0;
};

}  // namespace hangu::codec::http2
