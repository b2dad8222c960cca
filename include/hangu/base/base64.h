// Base64 as tokens write it (RFC 4648 §5): no padding, nothing else between, no spare bits set.
// Pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace hangu {

/// nullopt: not canonical base64url.
std::optional<std::string> decode_base64url(std::string_view text);

/// The alphabet of RFC 4648 §4, with or without padding; for Basic credentials.
std::optional<std::string> decode_base64(std::string_view text);

std::string encode_base64url(std::string_view bytes);

/// The alphabet of RFC 4648 §4, padded.
std::string encode_base64(std::string_view bytes);

}  // namespace hangu
