#include "hangu/audit/record_queues.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

namespace hangu::audit {

RecordQueues::RecordQueues(uint32_t producers, size_t bytes_each)
    : wake_fd_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  for (uint32_t producer = 0; producer < producers; ++producer) {
    rings_.push_back(std::make_unique<RecordRing>(bytes_each));
  }
}

RecordQueues::~RecordQueues() {
  ::close(wake_fd_);
}

bool RecordQueues::append(uint32_t producer, std::string_view record) noexcept {
  RecordRing& ring = *rings_[producer];
  const bool taken = ring.append(record);
  if (ring.held() > ring.capacity() / 2) {
    wake();
  }
  return taken;
}

void RecordQueues::wake() noexcept {
  if (!woken_.load(std::memory_order_relaxed) && !woken_.exchange(true)) {
    const uint64_t one = 1;
    static_cast<void>(!::write(wake_fd_, &one, sizeof one));
  }
}

void RecordQueues::wait(int at_most_ms, bool deaf) noexcept {
  pollfd waiting{.fd = wake_fd_, .events = POLLIN, .revents = 0};
  ::poll(&waiting, 1, at_most_ms);
  uint64_t count = 0;
  static_cast<void>(!::read(wake_fd_, &count, sizeof count));
  woken_ = deaf;
}

size_t RecordQueues::held() const noexcept {
  size_t bytes = 0;
  for (const auto& ring : rings_) {
    bytes += ring->held();
  }
  return bytes;
}

uint64_t RecordQueues::dropped() const noexcept {
  uint64_t dropped = 0;
  for (const auto& ring : rings_) {
    dropped += ring->dropped();
  }
  return dropped;
}

}  // namespace hangu::audit
