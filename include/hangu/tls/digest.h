// Message digests. Any thread.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace hangu::tls {

using Sha1Digest = std::array<uint8_t, 20>;

/// Not for security: what old protocols ask for.
Sha1Digest sha1(std::string_view bytes) noexcept;

}  // namespace hangu::tls
