// Releases as `hangu status` and `hangu release` show them.
#pragma once

#include <boost/json/fwd.hpp>

#include "cli/terminal.h"
#include "cli/verbs.h"

namespace hangu::cli {

/// Nothing without any.
void print_releases(const boost::json::object& status, const Palette& palette,
                    const Environment& environment);

}  // namespace hangu::cli
