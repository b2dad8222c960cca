#include "event/receive_ring.h"

#include <sys/mman.h>

#include <algorithm>
#include <cerrno>

namespace hangu::event {
namespace {

constexpr uint32_t kEntries = 1024;
constexpr uint32_t kPublishedMin = 8;
// As long as messages are small, some more cost next to nothing.
constexpr uint32_t kPublishedSmall = 128;
// What published blocks may come to touch: a part of the second-level cache of one core, which the
// kernel's own copies of the same bytes share.
constexpr uint32_t kHotBytes = 512 * 1024;
// The peak of completions a turn decays by 1/512 each turn: it outlasts short pauses.
constexpr uint32_t kDecayShift = 9;

constexpr size_t kRingBytes = kEntries * sizeof(io_uring_buf);

}  // namespace

ReceiveRing::~ReceiveRing() {
  close();
}

void ReceiveRing::close() {
  if (ring_ == nullptr) {
    return;
  }
  io_uring_buf_reg registration{};
  registration.bgid = kGroup;
  uring_->do_register(IORING_UNREGISTER_PBUF_RING, &registration, 1);
  munmap(ring_, kRingBytes);
  ring_ = nullptr;
  for (uint32_t index = 0; index < in_ring_.size(); ++index) {
    if (in_ring_[index]) {
      buffer::BlockRef::adopt(pool_.block_at(index));
    }
  }
  in_ring_.clear();
  published_ = 0;
}

Result<void> ReceiveRing::open(Ring& ring) {
  void* memory =
      mmap(nullptr, kRingBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) {
    return fail(internal_error(Errc::kSystem, "no memory for the buffer ring", errno));
  }
  ring_ = static_cast<io_uring_buf_ring*>(memory);
  io_uring_buf_ring_init(ring_);
  io_uring_buf_reg registration{};
  registration.ring_addr = reinterpret_cast<uint64_t>(memory);
  registration.ring_entries = kEntries;
  registration.bgid = kGroup;
  if (const int error = ring.do_register(IORING_REGISTER_PBUF_RING, &registration, 1); error < 0) {
    munmap(memory, kRingBytes);
    ring_ = nullptr;
    return fail(internal_error(Errc::kSystem, "the kernel has no buffer rings", -error));
  }
  uring_ = &ring;
  in_ring_.resize(pool_.blocks_max());
  target_ = kPublishedMin;
  top_up();
  return {};
}

buffer::BlockRef ReceiveRing::take(uint32_t index, uint32_t bytes) {
  HANGU_ASSERT(index < in_ring_.size() && in_ring_[index]);
  in_ring_[index] = false;
  --published_;
  ++taken_this_turn_;
  bytes_this_turn_ += bytes;
  return buffer::BlockRef::adopt(pool_.block_at(index));
}

void ReceiveRing::starved() {
  peak_ = std::min(kEntries, std::max(peak_, target_) + target_ / 2);
}

void ReceiveRing::adapt() {
  if (taken_this_turn_ != 0) {
    const auto average = static_cast<uint32_t>(bytes_this_turn_ / taken_this_turn_);
    average_bytes_ = (average_bytes_ * 7 + average) / 8;
  }
  const uint32_t wanted = std::min(taken_this_turn_, kEntries);
  const uint32_t decay = (peak_ + (1U << kDecayShift) - 1) >> kDecayShift;
  peak_ = std::max(wanted, peak_ - decay);
  const uint32_t by_bytes = kHotBytes / std::max(average_bytes_, 1U);
  const uint32_t most = std::clamp(pool_.blocks_max() / 8, kPublishedMin, kEntries);
  target_ = std::clamp(std::min(std::max(peak_ + peak_ / 2, kPublishedSmall), by_bytes),
                       kPublishedMin, most);
  taken_this_turn_ = 0;
  bytes_this_turn_ = 0;
}

void ReceiveRing::top_up() {
  adapt();
  int added = 0;
  while (published_ < target_) {
    buffer::BlockRef block = pool_.acquire();
    if (!block) {
      break;
    }
    io_uring_buf_ring_add(ring_, block->data(), block->capacity(),
                          static_cast<uint16_t>(block->index()), io_uring_buf_ring_mask(kEntries),
                          added++);
    in_ring_[block->index()] = true;
    block.leak();
    ++published_;
  }
  if (added != 0) {
    io_uring_buf_ring_advance(ring_, added);
  }
}

}  // namespace hangu::event
