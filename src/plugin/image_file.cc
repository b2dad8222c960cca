#include "plugin/image_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <filesystem>
#include <string_view>
#include <system_error>

#include <fmt/format.h>

#include "hangu/base/file_bytes.h"
#include "hangu/tls/digest.h"

namespace hangu::plugin {
namespace {

namespace fs = std::filesystem;

Failure<std::string> system_failure(const std::string& path) {
  return {fmt::format("cannot write {}: {}", path, std::generic_category().message(errno))};
}

}  // namespace

std::string image_path(const std::string& folder, const std::string& name,
                       const std::string& sha256) {
  return fmt::format("{}/{}-{}.so", folder, name, sha256);
}

Result<void, std::string> write_image(const Image& image, const std::string& path) {
  if (tls::sha256_of_file(path) == image.sha256) {
    return {};
  }
  const std::string folder = fs::path(path).parent_path();
  std::error_code error;
  if (fs::create_directories(folder, error); error) {
    return Failure<std::string>{fmt::format("cannot make {}: {}", folder, error.message())};
  }
  fs::permissions(folder, fs::perms::owner_all, error);
  const std::string draft = fmt::format("{}.{}", path, ::getpid());
  ::unlink(draft.c_str());
  const int fd = ::open(draft.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0500);
  if (fd < 0) {
    return system_failure(draft);
  }
  const bool written = !write_all(fd, image.bytes) && ::fsync(fd) == 0;
  const Failure<std::string> failure = system_failure(draft);
  ::close(fd);
  if (!written) {
    ::unlink(draft.c_str());
    return failure;
  }
  if (::rename(draft.c_str(), path.c_str()) != 0) {
    return system_failure(path);
  }
  return {};
}

Result<std::string, std::string> image_in_memory(const Image& image) {
  const int fd = ::memfd_create("hangu-plugin", MFD_CLOEXEC);
  if (fd < 0 || write_all(fd, image.bytes)) {
    return system_failure("memory");
  }
  return fmt::format("/proc/self/fd/{}", fd);
}

}  // namespace hangu::plugin
