// Reading a whole small file.
#pragma once

#include <string>

#include "hangu/base/result.h"

namespace hangu::config {

/// The contents, or the reason in words for who has named the file in a config: "No such file or
/// directory", "larger than 65536 bytes".
Result<std::string, std::string> read_file(const std::string& path, size_t bytes_max);

}  // namespace hangu::config
