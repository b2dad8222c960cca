// Pipe: kernel memory through which bytes go from one socket to another without being copied into
// ours (splice(2)). PipePool keeps some for reuse. One shard. Neither knows a loop.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <memory>
#include <vector>

namespace hangu::event {

class Pipe {
 public:
  /// nullptr when there is no descriptor or no memory to be had.
  static std::unique_ptr<Pipe> open();
  ~Pipe();

  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;

  /// What is in it now.
  size_t bytes() const { return bytes_; }

  /// Moves up to `bytes` from a socket into the pipe, which must be empty; never waits. The count,
  /// 0 at the peer's FIN, or the negative errno.
  ssize_t fill_from(int socket, size_t bytes);
  /// Moves out what the socket takes, a non-blocking one; less than everything when it is full. The
  /// count, or the negative errno.
  ssize_t drain_to(int socket);

 private:
  Pipe(int in, int out)
      : in_(in),
        out_(out) {}

  int in_;
  int out_;
  size_t bytes_ = 0;
};

class PipePool {
 public:
  /// Each that is in use costs two descriptors and what it holds; a slow peer keeps one.
  static constexpr size_t kInUseMax = 128;

  bool available() const { return !disabled_ && in_use_ < kInUseMax; }

  /// nullptr when there is none to be had. Must be released.
  std::unique_ptr<Pipe> acquire();
  /// One that is not empty is closed, with what is in it.
  void release(std::unique_ptr<Pipe> pipe);

  /// The kernel or a sandbox does not let us: acquire() returns nothing from now on.
  void disable() { disabled_ = true; }

 private:
  std::vector<std::unique_ptr<Pipe>> idle_;
  size_t in_use_ = 0;
  bool disabled_ = false;
};

}  // namespace hangu::event
