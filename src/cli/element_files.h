// The elements in files that `hangu config push` is given.
#pragma once

#include <string>
#include <vector>

#include "hangu/base/result.h"
#include "hangu/cli/cli.h"
#include "hangu/config/documents.h"

#include "cli/verbs.h"

namespace hangu::cli {

/// Of all files, no key twice. Whatever is wrong with them the user has been told; the exit code is
/// the error.
Result<std::vector<config::Document>, int> read_elements(const ConfigChangeOptions& options,
                                                         const Environment& environment);

}  // namespace hangu::cli
