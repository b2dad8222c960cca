// Text of others, for terminals and logs.
#pragma once

#include <string>
#include <string_view>

namespace hangu {

/// Control characters but tabs as "\x0a": nobody moves a cursor or makes a line of their own.
std::string visible(std::string_view text);

}  // namespace hangu
