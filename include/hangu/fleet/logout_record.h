// How a fleet's store says that sessions are over, or that a logout token has been used: a key for
// each entry and time, which nobody ever changes, so that nodes can write it in any order. Pure.
//
//   <prefix>logouts/<digest>/<at>  ->  sessions <scope> <until>
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "hangu/identity/logout_entry.h"

namespace hangu::fleet {

inline constexpr std::string_view kLogoutsKey = "logouts/";

/// What the key is, behind `logouts/`.
std::string logout_name(const identity::LogoutEntry& entry);

std::string logout_value(const identity::LogoutEntry& entry);

/// nullopt: it is nothing of the kind.
std::optional<identity::LogoutEntry> read_logout(std::string_view name, std::string_view value);

}  // namespace hangu::fleet
