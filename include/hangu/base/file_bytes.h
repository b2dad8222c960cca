// Whole texts to and from open files, whatever the kernel does in one step. They wait for the disk:
// not for shards.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <system_error>

namespace hangu {

/// Writes where the file stands. On failure a part may have been written.
std::error_code write_all(int fd, std::string_view bytes) noexcept;

/// Writes at `at`.
std::error_code write_all_at(int fd, std::string_view bytes, off_t at) noexcept;

/// `size` bytes from `at` on, or as many of them as there are and can be read.
std::string read_at(int fd, size_t size, off_t at);

}  // namespace hangu
