#include "hangu/event/pipe.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "hangu/base/assert.h"

namespace hangu::event {
namespace {

// A pipe holds so many pieces of a page or more; a network card delivers pieces of a packet each,
// and the default of 16 would be full of few. Where the user's share is used up, it stays with it.
constexpr int kPipeBytes = 256 * 1024;
// Idle pipes hold two descriptors each and no memory to speak of.
constexpr size_t kIdleMax = 32;

}  // namespace

std::unique_ptr<Pipe> Pipe::open() {
  int ends[2];
  if (::pipe2(ends, O_NONBLOCK | O_CLOEXEC) != 0) {
    return nullptr;
  }
  ::fcntl(ends[1], F_SETPIPE_SZ, kPipeBytes);
  return std::unique_ptr<Pipe>(new Pipe(ends[1], ends[0]));
}

Pipe::~Pipe() {
  ::close(in_);
  ::close(out_);
}

ssize_t Pipe::fill_from(int socket, size_t bytes) {
  HANGU_DCHECK(bytes_ == 0);
  ssize_t moved = 0;
  do {
    moved = ::splice(socket, nullptr, in_, nullptr, bytes, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
  } while (moved < 0 && errno == EINTR);
  if (moved < 0) {
    return -errno;
  }
  bytes_ = static_cast<size_t>(moved);
  return moved;
}

ssize_t Pipe::drain_to(int socket) {
  const size_t before = bytes_;
  while (bytes_ != 0) {
    const ssize_t moved =
        ::splice(out_, nullptr, socket, nullptr, bytes_, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
    if (moved > 0) {
      bytes_ -= static_cast<size_t>(moved);
    } else if (errno != EINTR) {
      return bytes_ != before && errno == EAGAIN ? static_cast<ssize_t>(before - bytes_) : -errno;
    }
  }
  return static_cast<ssize_t>(before);
}

std::unique_ptr<Pipe> PipePool::acquire() {
  if (!available()) {
    return nullptr;
  }
  std::unique_ptr<Pipe> pipe;
  if (idle_.empty()) {
    pipe = Pipe::open();
  } else {
    pipe = std::move(idle_.back());
    idle_.pop_back();
  }
  in_use_ += pipe != nullptr ? 1 : 0;
  return pipe;
}

void PipePool::release(std::unique_ptr<Pipe> pipe) {
  --in_use_;
  if (pipe->bytes() == 0 && idle_.size() < kIdleMax) {
    idle_.push_back(std::move(pipe));
  }
}

}  // namespace hangu::event
