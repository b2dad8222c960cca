// replace_file: puts a file in the place of what is there, whole or not at all, also if the machine
// stops. Not for shards: it waits for the disk.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <system_error>

namespace hangu {

/// Two processes may do it at once; the last one counts.
std::error_code replace_file(const std::string& path, std::string_view bytes, mode_t mode);

}  // namespace hangu
