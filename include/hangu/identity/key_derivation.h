// Keys made of a secret: one for each purpose, of which none tells anything of another one or of
// the secret. Pure; any thread.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "hangu/identity/digest.h"

namespace hangu::identity {

/// HKDF (RFC 5869) without salt; fills `key`. false: it cannot be had.
bool derive_key(std::string_view secret, std::string_view purpose, std::span<uint8_t> key,
                DigestKind digest = DigestKind::kSha256);

}  // namespace hangu::identity
