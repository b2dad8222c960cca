// What `hangu status` says to people, made of the JSON that the process tells: aligned, and only of
// what is configured.
#pragma once

#include <boost/json.hpp>

#include "hangu/cli/cli.h"

namespace hangu::cli {

void print_status(const boost::json::object& status, const Environment& environment);

}  // namespace hangu::cli
