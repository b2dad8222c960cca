#include "proxy/replay_buffer.h"

#include <memory>

namespace hangu::proxy {

void ReplayBuffer::keep(const buffer::Slice& piece, buffer::Arena& arena,
                        const buffer::BlockPool& large) noexcept {
  if (lost_ || piece.size == 0) {
    return;
  }
  // Where memory is short, receiving matters more than trying again.
  const bool short_of_memory = large.pressure() != buffer::Pressure::kNone;
  if (piece.size > bytes_max_ - bytes_ || pieces_ == kPiecesMax || short_of_memory) {
    give_up();
    return;
  }
  bytes_ += piece.size;
  ++pieces_;
  auto* kept =
      std::construct_at(reinterpret_cast<Piece*>(arena.allocate(sizeof(Piece), alignof(Piece))));
  kept->slice = piece.size <= kCopyBytesMax ? arena.slice_of(arena.copy(piece.view())) : piece;
  (last_ != nullptr ? last_->next : first_) = kept;
  last_ = kept;
}

void ReplayBuffer::clear() noexcept {
  for (Piece* at = first_; at != nullptr;) {
    Piece* const next = at->next;
    std::destroy_at(at);
    at = next;
  }
  first_ = last_ = nullptr;
  bytes_ = 0;
}

}  // namespace hangu::proxy
