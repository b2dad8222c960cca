#include "cli/admin_session.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <system_error>

#include <fmt/format.h>

#include "hangu/base/hex.h"
#include "hangu/identity/digest.h"

namespace hangu::cli {
namespace {

constexpr mode_t kFolderMode = 0700;
constexpr mode_t kFileMode = 0600;

/// Empty: there is no place for it.
std::string folder() {
  if (const char* runtime = std::getenv("XDG_RUNTIME_DIR");
      runtime != nullptr && *runtime != '\0') {
    return std::string(runtime) + "/hangu";
  }
  const char* home = std::getenv("HOME");
  return home != nullptr && *home != '\0' ? std::string(home) + "/.cache/hangu" : std::string();
}

std::string file_of(const std::string& address) {
  constexpr size_t kNameDigits = 16;
  identity::Digest digest{};
  identity::compute_digest(identity::DigestKind::kSha256, address, digest);
  const std::string where = folder();
  return where.empty() ? where : where + "/session-" + to_hex(digest).substr(0, kNameDigits);
}

}  // namespace

std::string read_session(const std::string& address) {
  std::ifstream file(file_of(address));
  std::string token;
  std::getline(file, token);
  return token;
}

Result<void, std::string> keep_session(const std::string& address, const std::string& token) {
  const std::string path = file_of(address);
  if (path.empty()) {
    return Failure<std::string>{"neither XDG_RUNTIME_DIR nor HOME says where to keep the session"};
  }
  std::error_code ignored;
  std::filesystem::create_directories(std::filesystem::path(path).parent_path(), ignored);
  ::chmod(std::filesystem::path(path).parent_path().c_str(), kFolderMode);
  ::unlink(path.c_str());  // so that the new one has our mode
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, kFileMode);
  const std::string line = token + "\n";
  const bool written =
      fd >= 0 && ::write(fd, line.data(), line.size()) == static_cast<ssize_t>(line.size());
  const int failed = errno;
  if (fd >= 0) {
    ::close(fd);
  }
  if (!written) {
    return Failure<std::string>{
        fmt::format("cannot write {}: {}", path, std::generic_category().message(failed))};
  }
  return {};
}

void forget_session(const std::string& address) {
  ::unlink(file_of(address).c_str());
}

}  // namespace hangu::cli
