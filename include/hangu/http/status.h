// HTTP versions and status codes. Plain values, any thread.
#pragma once

#include <cstdint>

namespace hangu::http {

enum class Version : uint8_t { kHttp10, kHttp11, kHttp2 };

/// "Not Found"; "Unknown" for a code without a registered phrase. Static text.
const char* reason_phrase(int status) noexcept;

}  // namespace hangu::http
