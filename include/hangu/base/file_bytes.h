// Whole texts to and from files, whatever the kernel does in one step. They wait for the disk: not
// for shards.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <system_error>

#include "hangu/base/result.h"

namespace hangu {

/// More than anything that is read as a whole has.
constexpr size_t kWholeFileBytesMax = size_t{1} << 30;

/// Writes where the file stands. On failure a part may have been written.
std::error_code write_all(int fd, std::string_view bytes) noexcept;

/// Writes at `at`.
std::error_code write_all_at(int fd, std::string_view bytes, off_t at) noexcept;

/// `size` bytes from `at` on, or as many of them as there are and can be read.
std::string read_at(int fd, size_t size, off_t at);

/// All that a file has, be it a pipe. EISDIR for a folder, EFBIG for more than `bytes_max`.
Result<std::string, std::error_code> read_whole_file(const std::string& path,
                                                     size_t bytes_max = kWholeFileBytesMax);

}  // namespace hangu
