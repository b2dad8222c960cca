// Keys that name a file which is read when the config is.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "config/reader.h"

namespace hangu::config {

/// nullopt: it is no absolute path, which has been said; `code`: of that error.
std::optional<std::string> read_absolute_path(Reader& reader, const Node& node,
                                              std::string_view code);

}  // namespace hangu::config
