// ReplayBuffer: the body of a request as far as it has been sent, so that another try can send it
// again. Holds the received blocks themselves; small pieces are copied into the request's arena,
// since each would keep a large block from its pool. Once there is more than it may hold it lets go
// of everything. Owned by an Exchange; its list lives in the arena of the stream.
#pragma once

#include <cstdint>

#include "hangu/buffer/arena.h"
#include "hangu/buffer/block.h"

namespace hangu::proxy {

class ReplayBuffer {
 public:
  ReplayBuffer() = default;

  ~ReplayBuffer() { clear(); }

  ReplayBuffer(const ReplayBuffer&) = delete;
  ReplayBuffer& operator=(const ReplayBuffer&) = delete;

  /// Before the first piece; 0, the default: nothing will be kept.
  void limit(uint32_t bytes_max) noexcept { bytes_max_ = bytes_max; }

  /// A piece is about to be sent.
  void keep(const buffer::Slice& piece, buffer::Arena& arena,
            const buffer::BlockPool& large) noexcept;

  /// Nothing is kept any more, and what has been sent cannot be sent again.
  void give_up() noexcept {
    lost_ = true;
    clear();
  }

  /// Before the arena goes.
  void clear() noexcept;

  /// Whether something has been sent that is not here.
  bool lost() const { return lost_; }

  bool empty() const { return first_ == nullptr; }

  /// Calls `visit(Slice&&)` with each piece, in order.
  template <class Visit>
  void for_each(Visit visit) const {
    for (const Piece* at = first_; at != nullptr; at = at->next) {
      visit(buffer::Slice(at->slice));
    }
  }

 private:
  struct Piece {
    buffer::Slice slice;
    Piece* next = nullptr;
  };

  static constexpr uint32_t kPiecesMax = 256;
  static constexpr uint32_t kCopyBytesMax = 1536;

  Piece* first_ = nullptr;
  Piece* last_ = nullptr;
  uint32_t bytes_ = 0;
  uint32_t bytes_max_ = 0;
  uint16_t pieces_ = 0;
  bool lost_ = false;
};

}  // namespace hangu::proxy
