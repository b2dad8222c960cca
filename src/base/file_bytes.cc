#include "hangu/base/file_bytes.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace hangu {
namespace {

/// Calls write(rest, how much is done) until nothing is left.
template <class Write>
std::error_code write_rest(std::string_view bytes, const Write& write) noexcept {
  for (size_t done = 0; done < bytes.size();) {
    const ssize_t written = write(bytes.substr(done), static_cast<off_t>(done));
    if (written > 0) {
      done += static_cast<size_t>(written);
    } else if (written == 0) {
      return std::make_error_code(std::errc::io_error);  // it would never end
    } else if (errno != EINTR) {
      return {errno, std::generic_category()};
    }
  }
  return {};
}

constexpr size_t kReadStep = size_t{64} * 1024;

std::error_code last_error() {
  return {errno, std::generic_category()};
}

/// Fills `bytes`, and makes it larger, until the file ends or there is more than `bytes_max`.
std::error_code read_to_end(int fd, size_t bytes_max, std::string& bytes) {
  size_t done = 0;
  while (done <= bytes_max) {
    if (done == bytes.size()) {
      bytes.resize(2 * done);
    }
    const ssize_t got = ::read(fd, bytes.data() + done, bytes.size() - done);
    if (got == 0) {
      bytes.resize(done);
      return {};
    }
    if (got < 0 && errno != EINTR) {
      return last_error();
    }
    done += static_cast<size_t>(std::max<ssize_t>(got, 0));
  }
  return std::make_error_code(std::errc::file_too_large);
}

}  // namespace

std::error_code write_all(int fd, std::string_view bytes) noexcept {
  return write_rest(bytes, [fd](std::string_view rest, off_t /*done*/) {
    return ::write(fd, rest.data(), rest.size());
  });
}

std::error_code write_all_at(int fd, std::string_view bytes, off_t at) noexcept {
  return write_rest(bytes, [fd, at](std::string_view rest, off_t done) {
    return ::pwrite(fd, rest.data(), rest.size(), at + done);
  });
}

std::string read_at(int fd, size_t size, off_t at) {
  std::string bytes(size, '\0');
  size_t got = 0;
  while (got < size) {
    const ssize_t more = ::pread(fd, bytes.data() + got, size - got, at + static_cast<off_t>(got));
    if (more > 0) {
      got += static_cast<size_t>(more);
    } else if (more == 0 || errno != EINTR) {
      break;
    }
  }
  bytes.resize(got);
  return bytes;
}

Result<std::string, std::error_code> read_whole_file(const std::string& path, size_t bytes_max) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    return Failure<std::error_code>{last_error()};
  }

  struct stat about {};

  std::string bytes;
  std::error_code error;
  if (::fstat(fd, &about) != 0) {
    error = last_error();
  } else {
    // One more byte than it is said to have: its end is seen without more room. A pipe says 0.
    const size_t said = std::min(static_cast<size_t>(about.st_size), bytes_max);
    bytes.resize(said != 0 ? said + 1 : kReadStep);
    error = read_to_end(fd, bytes_max, bytes);
  }
  ::close(fd);
  if (error) {
    return Failure<std::error_code>{error};
  }
  return bytes;
}

}  // namespace hangu
