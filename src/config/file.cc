#include "config/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include <fmt/format.h>

namespace hangu::config {

namespace {

class Descriptor {
 public:
  explicit Descriptor(int fd)
      : fd_(fd) {}

  ~Descriptor() {
    if (fd_ >= 0) {
      ::close(fd_);
    }
  }

  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  int get() const { return fd_; }

 private:
  int fd_;
};

Failure<std::string> failure(std::string reason) {
  return {std::move(reason)};
}

Failure<std::string> system_failure() {
  return failure(std::error_code(errno, std::generic_category()).message());
}

}  // namespace

Result<std::string, std::string> read_file(const std::string& path, size_t bytes_max) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));

  struct stat status {};

  if (file.get() < 0 || ::fstat(file.get(), &status) != 0) {
    return system_failure();
  }
  if (S_ISDIR(status.st_mode)) {
    return failure("it is a directory");
  }
  std::string text;
  while (text.size() <= bytes_max) {
    const size_t at = text.size();
    constexpr size_t kStep = 64 * 1024;
    text.resize(at + kStep);
    const ssize_t got = ::read(file.get(), text.data() + at, kStep);
    text.resize(at + static_cast<size_t>(got > 0 ? got : 0));
    if (got == 0) {
      return text;
    }
    if (got < 0 && errno != EINTR) {
      return system_failure();
    }
  }
  return failure(fmt::format("larger than {} bytes", bytes_max));
}

}  // namespace hangu::config
