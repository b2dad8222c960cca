// UTF-8 (RFC 3629): where its characters end, and texts made of whole ones. Pure; any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace hangu {

/// Bytes of the character at `at`, 0 when it is malformed.
size_t utf8_length(std::string_view text, size_t at);

/// As much of the beginning as whole characters fit into so many bytes.
std::string_view utf8_prefix(std::string_view text, size_t bytes_max);

/// The text with U+FFFD in place of each byte that is part of no character.
std::string utf8_repaired(std::string_view text);

}  // namespace hangu
