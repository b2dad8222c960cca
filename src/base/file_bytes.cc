#include "hangu/base/file_bytes.h"

#include <unistd.h>

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

}  // namespace hangu
