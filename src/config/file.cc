#include "config/file.h"

#include <system_error>

#include <fmt/format.h>

#include "hangu/base/file_bytes.h"

namespace hangu::config {

Result<std::string, std::string> read_file(const std::string& path, size_t bytes_max) {
  Result<std::string, std::error_code> text = read_whole_file(path, bytes_max);
  if (text) {
    return std::move(*text);
  }
  const std::error_code error = text.error();
  return Failure<std::string>{error == std::errc::is_a_directory ? "it is a directory"
                              : error == std::errc::file_too_large
                                  ? fmt::format("larger than {} bytes", bytes_max)
                                  : error.message()};
}

}  // namespace hangu::config
