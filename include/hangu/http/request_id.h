// Request ids: which ones to believe, and new ones (UUIDv7, RFC 9562 §5.7: sorted by time). Time
// and randomness are passed in. Pure functions, nothing allocated.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace hangu::http {

inline constexpr size_t kRequestIdBytesMax = 128;
inline constexpr size_t kUuidChars = 36;

/// 1 to 128 characters that are harmless in logs, JSON and headers: letters, digits and -._~:=+/@
bool valid_request_id(std::string_view id) noexcept;

/// Writes "0190163d-8694-739b-aea5-966c26f8ad91" from the time of day and ten random bytes, all of
/// which should be unpredictable.
void write_uuid_v7(uint64_t unix_ms, std::span<const uint8_t, 10> random,
                   std::span<char, kUuidChars> out) noexcept;

}  // namespace hangu::http
