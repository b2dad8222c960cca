// "Did you mean": the nearest known word to one that is unknown.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace hangu::cli {

/// Empty when none is near: more than a third of the letters would have to change.
std::string nearest(std::string_view word, const std::vector<std::string>& known);

}  // namespace hangu::cli
