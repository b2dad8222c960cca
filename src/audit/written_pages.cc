#include "hangu/audit/written_pages.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>

namespace hangu::audit {

void WrittenPages::begin(int fd) {
  struct stat status {};

  fd_ = ::fstat(fd, &status) == 0 && S_ISREG(status.st_mode) ? fd : -1;
  end_ = fd_ >= 0 ? static_cast<uint64_t>(status.st_size) : 0;
  begun_ = end_;
}

/// Pages that are not on the disk yet stay, so they are asked for once more later.
void WrittenPages::step() {
  ::sync_file_range(fd_, static_cast<off_t>(begun_), static_cast<off_t>(end_ - begun_),
                    SYNC_FILE_RANGE_WRITE);
  begun_ = end_;
  const uint64_t to = end_ - std::min(end_, kKeptBytes);
  const uint64_t from = end_ - std::min(end_, kKeptBytes + kAskedBytes);
  if (to > from) {
    ::posix_fadvise(fd_, static_cast<off_t>(from), static_cast<off_t>(to - from),
                    POSIX_FADV_DONTNEED);
  }
}

}  // namespace hangu::audit
