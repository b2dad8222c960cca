// A line from standard input, which a terminal does not show.
#pragma once

#include <string>

#include "hangu/cli/cli.h"

namespace hangu::cli {

/// Empty: there was none.
std::string read_password(const Environment& environment);

}  // namespace hangu::cli
