#include "hangu/base/replace_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include <fmt/format.h>

#include "hangu/base/file_bytes.h"

namespace hangu {
namespace {

std::error_code last_error() {
  return {errno, std::generic_category()};
}

/// So that the new name is there, too, when the machine comes back.
void sync_folder_of(const std::string& path) {
  const size_t slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd >= 0) {
    ::fsync(fd);
    ::close(fd);
  }
}

}  // namespace

std::error_code replace_file(const std::string& path, std::string_view bytes, mode_t mode) {
  const std::string draft = fmt::format("{}.{}.new", path, ::getpid());
  const int fd = ::open(draft.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
  if (fd < 0) {
    return last_error();
  }
  std::error_code error = write_all(fd, bytes);
  if (!error && (::fsync(fd) != 0 || ::rename(draft.c_str(), path.c_str()) != 0)) {
    error = last_error();
  }
  ::close(fd);
  if (error) {
    ::unlink(draft.c_str());
    return error;
  }
  sync_folder_of(path);
  return {};
}

}  // namespace hangu
