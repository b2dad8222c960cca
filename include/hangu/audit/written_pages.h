// WrittenPages: gives back the pages of a log that grows and that nobody here reads again. What the
// kernel would keep of it, as long as it has memory, would push out what the machine needs, and a
// page that was used a moment ago is cheaper to fill than one that was never touched. Waits for
// nothing to be written (but for room in the disk's queue), never fails: advice to the kernel,
// ignored for what is no regular file. One thread.
#pragma once

#include <cstdint>

namespace hangu::audit {

class WrittenPages {
 public:
  /// Another file, open for as long as it is not ended or another begun.
  void begin(int fd);

  /// Some more bytes went to its end.
  void wrote(uint64_t bytes) {
    end_ += bytes;
    if (fd_ >= 0 && end_ - begun_ >= kStepBytes) {
      step();
    }
  }

  /// The file is closed, or somebody else's.
  void end() { fd_ = -1; }

 private:
  static constexpr uint64_t kStepBytes = 4 * 1024 * 1024;
  static constexpr uint64_t kKeptBytes = 8 * kStepBytes;   // for who follows the log
  static constexpr uint64_t kAskedBytes = 8 * kKeptBytes;  // again, as the disk may have lagged

  void step();

  int fd_ = -1;
  uint64_t end_ = 0;    // of the file
  uint64_t begun_ = 0;  // up to here the kernel was asked to write it to the disk
};

}  // namespace hangu::audit
