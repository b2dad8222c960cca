// The parts of `hangu status` about limits: those of rate, concurrency and bandwidth, the stores
// they share, and `overload`. Each prints nothing where nothing of its kind is configured.
#pragma once

#include <boost/json.hpp>

#include "hangu/cli/cli.h"

#include "cli/terminal.h"

namespace hangu::cli {

void print_limits(const boost::json::object& status, const Palette& palette,
                  const Environment& environment);
void print_stores(const boost::json::object& status, const Palette& palette,
                  const Environment& environment);

/// How much there is of what it measures, and what it is short of.
void print_overload(const boost::json::object& status, const Palette& palette,
                    const Environment& environment);

}  // namespace hangu::cli
