// "Did you mean": the known word that is nearest to one that is not. For people's typing errors in
// config files and on the command line; allocates. Pure function, any thread.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace hangu {

/// Edits (insert, delete, replace, swap neighbours) between two texts; `limit` + 1 when more.
size_t edit_distance(std::string_view a, std::string_view b, size_t limit);

/// The candidate that is the fewest edits away from `text`, at most a third of its letters, case
/// aside; empty when none is near.
std::string_view nearest(std::string_view text, std::span<const std::string_view> candidates);

}  // namespace hangu
